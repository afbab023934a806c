{{/* What every pod and container is held to, and what it is told. */}}

{{- define "sagamart.podSecurity" -}}
automountServiceAccountToken: false
# A Service called …-orders would otherwise give every pod SAGAMART_ORDERS_PORT, which is no setting and ends the start.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{- define "sagamart.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- define "sagamart.secretVariable" -}}
- name: {{ index . 0 }}
  valueFrom:
    secretKeyRef: {name: {{ index . 1 }}, key: {{ index . 2 }}}
{{- end }}

{{/* How to reach the brokers. Takes a list: the root, whose login. */}}
{{- define "sagamart.kafkaVariables" -}}
{{- $root := index . 0 -}}
{{- $kafka := $root.Values.kafka -}}
- name: SAGAMART_KAFKA_BOOTSTRAP_SERVERS
  value: {{ join "," $kafka.bootstrapServers | quote }}
- name: SAGAMART_KAFKA_PARTITIONS
  value: {{ $kafka.partitions | quote }}
- name: SAGAMART_KAFKA_REPLICATION
  value: {{ $kafka.replication | quote }}
- name: SAGAMART_KAFKA_TLS
  value: {{ $kafka.tls | quote }}
{{- if and $kafka.tls $kafka.caSecret }}
- name: SAGAMART_KAFKA_CA_FILE
  value: /etc/sagamart/kafka/ca.crt
{{- end }}
- name: SAGAMART_KAFKA_SASL_MECHANISM
  value: {{ $kafka.saslMechanism }}
{{- if ne $kafka.saslMechanism "none" }}
{{- $secret := replace "{service}" (index . 1) $kafka.secret }}
{{ include "sagamart.secretVariable" (list "SAGAMART_KAFKA_USERNAME" $secret "username") }}
{{ include "sagamart.secretVariable" (list "SAGAMART_KAFKA_PASSWORD" $secret "password") }}
{{- end }}
{{- end }}

{{- define "sagamart.kafkaMount" -}}
{{- if and .Values.kafka.tls .Values.kafka.caSecret }}
- {name: kafka-ca, mountPath: /etc/sagamart/kafka, readOnly: true}
{{- end }}
{{- end }}

{{- define "sagamart.kafkaVolume" -}}
{{- if and .Values.kafka.tls .Values.kafka.caSecret }}
- name: kafka-ca
  secret: {secretName: {{ .Values.kafka.caSecret }}, defaultMode: 0440}
{{- end }}
{{- end }}

{{/* Settings that everything with an HTTP listener needs. */}}
{{- define "sagamart.listenerVariables" -}}
- name: SAGAMART_NODE
  valueFrom:
    fieldRef: {fieldPath: metadata.name}
- name: SAGAMART_DATA
  value: /tmp/sagamart
- name: SAGAMART_LOGS_FORMAT
  value: json
- name: SAGAMART_HTTP_HOST
  value: 0.0.0.0
- name: SAGAMART_HTTP_PORT
  value: "8080"
- name: SAGAMART_HTTP_TRUSTED_PROXIES
  value: {{ join "," .Values.trustedProxies | quote }}
{{- end }}

{{/* What a service is told beyond that. Takes a list: the root, its name, its values. */}}
{{- define "sagamart.serviceVariables" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $values := $root.Values -}}
- name: SAGAMART_TRANSPORT
  value: {{ $values.transport }}
- name: SAGAMART_STYLE
  value: {{ $values.style }}
- name: SAGAMART_INTERNAL_HOST
  value: 0.0.0.0
- name: SAGAMART_INTERNAL_PORT
  value: "9000"
- name: SAGAMART_INTERNAL_DESTINATIONS
  value: http://{{ include "sagamart.name" $root }}-{service}:9000
- name: SAGAMART_INTERNAL_KEYS
  value: /etc/sagamart/service-keys
{{- if eq $name "accounts" }}
- name: SAGAMART_TOKENS_KEYS
  value: /etc/sagamart/token-keys
{{- else }}
- name: SAGAMART_TOKENS_JWKS
  value: /etc/sagamart/tokens/jwks.json
{{- end }}
{{ include "sagamart.secretVariable" (list "SAGAMART_DATABASE_DSN" (replace "{service}" $name $values.database.secret) "dsn") }}
{{- if eq $values.transport "kafka" }}
{{ include "sagamart.kafkaVariables" (list $root $name) }}
{{- end }}
{{- if and (eq $name "payments") $values.bank.url }}
- name: SAGAMART_BANK_URL
  value: {{ $values.bank.url }}
- name: SAGAMART_BANK_RETURN_URL
  value: {{ $values.bank.returnUrl | default (printf "%s/payments/back" (include "sagamart.pages" $root)) }}
- name: SAGAMART_BANK_PAGE_HOSTS
  value: {{ join "," $values.bank.pageHosts | quote }}
{{ include "sagamart.secretVariable" (list "SAGAMART_BANK_API_KEY" $values.bank.secret "api-key") }}
{{ include "sagamart.secretVariable" (list "SAGAMART_BANK_WEBHOOK_SECRETS" $values.bank.secret "webhook-secrets") }}
{{- if $values.bank.simulated.enabled }}
{{ include "sagamart.secretVariable" (list "SAGAMART_BANK_ADMIN_KEY" $values.bank.simulated.secret "admin-key") }}
{{- end }}
{{- end }}
{{- if eq $name "notifications" }}
{{- if $values.email.host }}
- name: SAGAMART_EMAIL_HOST
  value: {{ $values.email.host }}
- name: SAGAMART_EMAIL_PORT
  value: {{ $values.email.port | quote }}
- name: SAGAMART_EMAIL_TLS
  value: {{ $values.email.tls }}
- name: SAGAMART_EMAIL_USER
  value: {{ $values.email.user | quote }}
- name: SAGAMART_EMAIL_SENDER
  value: {{ $values.email.sender }}
- name: SAGAMART_EMAIL_PAGES
  value: {{ $values.email.pages | default (include "sagamart.pages" $root) }}
{{- with $values.email.secret }}
{{ include "sagamart.secretVariable" (list "SAGAMART_EMAIL_PASSWORD" . "password") }}
{{- end }}
{{- end }}
{{- if $values.sms.url }}
- name: SAGAMART_SMS_URL
  value: {{ $values.sms.url }}
{{ include "sagamart.secretVariable" (list "SAGAMART_SMS_SECRET" $values.sms.secret "secret") }}
{{- end }}
{{- end }}
{{- range $setting, $value := (index . 2).settings }}
- name: {{ $setting }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{/* Where it listens and what is asked there. Takes a list: the port, the path that says whether it is ready. */}}
{{- define "sagamart.probes" -}}
ports:
  - {name: http, containerPort: {{ index . 0 }}}
startupProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet: {path: {{ index . 1 }}, port: http}
  periodSeconds: 5
  timeoutSeconds: 4
  failureThreshold: 2
{{- end }}

{{- define "sagamart.spread" -}}
topologySpreadConstraints:
{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{ include "sagamart.selector" $ | nindent 8 }}
{{- end }}
{{- end }}
