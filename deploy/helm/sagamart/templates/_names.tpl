{{/* Names, labels, and the services with their values. */}}

{{- define "sagamart.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{/* What a selector looks for; never changes. Takes a list: the root, the component. */}}
{{- define "sagamart.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "sagamart.labels" -}}
{{- $root := index . 0 -}}
{{ include "sagamart.selector" . }}
app.kubernetes.io/part-of: sagamart
app.kubernetes.io/version: {{ $root.Values.image.tag | default $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
{{- end }}

{{/* All pods of this release. */}}
{{- define "sagamart.everybody" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "sagamart.image" -}}
{{- $root := index . 0 -}}
{{- $image := $root.Values.image -}}
{{- $repository := replace "{service}" (index . 1) $image.repository -}}
{{- if $image.digest }}{{ $repository }}@{{ $image.digest }}
{{- else }}{{ $repository }}:{{ $image.tag | default $root.Chart.AppVersion }}{{ end }}
{{- end }}

{{/* How many share the requests, of one component's values; the least where it is scaled. */}}
{{- define "sagamart.replicas" -}}
{{- if eq (dig "autoscaling" "by" "none" .) "none" }}{{ .replicas }}{{ else }}{{ .autoscaling.replicasMin }}{{ end }}
{{- end }}

{{/* The services that take messages, each with the defaults under its own values. */}}
{{- define "sagamart.services" -}}
{{- range $name := keys .Values.services | sortAlpha }}
{{ $name }}: {{ mergeOverwrite (deepCopy $.Values.defaults) (index $.Values.services $name) | toJson }}
{{- end }}
{{- end }}

{{/* Everything that runs, by name. */}}
{{- define "sagamart.components" -}}
{{- include "sagamart.services" . }}
door: {{ .Values.door | toJson }}
{{- if .Values.web.enabled }}
web: {{ .Values.web | toJson }}
{{- end }}
{{- if .Values.audit.enabled }}
audit: {{ dict "replicas" 1 "resources" .Values.audit.resources | toJson }}
{{- end }}
{{- if .Values.bank.simulated.enabled }}
bank: {{ dict "replicas" 1 "resources" .Values.bank.simulated.resources | toJson }}
{{- end }}
{{- end }}

{{/* Whether browsers come by https. */}}
{{- define "sagamart.https" -}}
{{- if eq (toString .Values.web.https) "auto" }}{{ not (empty .Values.ingress.tlsSecret) }}
{{- else }}{{ .Values.web.https }}{{ end }}
{{- end }}

{{/* Where they find the pages. */}}
{{- define "sagamart.pages" -}}
http{{ if eq (include "sagamart.https" .) "true" }}s{{ end }}://{{ .Values.ingress.host }}
{{- end }}

{{- define "sagamart.asksOverHttp" -}}
{{- if or (eq .Values.transport "http") (ne .Values.style "facts") }}true{{ end }}
{{- end }}
