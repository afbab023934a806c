# docker buildx bake: one image, under its own name and under that of each service, for registries with a place for each.
#   REGISTRY=registry.example.com/shop VERSION=0.1.0 docker buildx bake --push

variable "REGISTRY" { default = "" }
variable "VERSION" { default = "0.1.0" }
variable "REVISION" { default = "" }
variable "CREATED" { default = "" }
variable "PYTHON_DIGEST" { default = "" }
variable "SERVICES" {
  default = [
    "accounts", "catalogue", "notifications", "orders", "payments", "promotions", "shipping", "stock", "timeline",
    "wallet", "door", "web", "bank",
  ]
}

function "named" {
  params = [name]
  result = REGISTRY == "" ? "${name}:${VERSION}" : "${REGISTRY}/${name}:${VERSION}"
}

group "default" { targets = ["sagamart"] }

target "sagamart" {
  context   = "."
  target    = "run"
  platforms = ["linux/amd64", "linux/arm64"]
  args = {
    VERSION       = VERSION
    REVISION      = REVISION
    CREATED       = CREATED
    PYTHON_DIGEST = PYTHON_DIGEST
  }
  tags   = concat([named("sagamart")], [for service in SERVICES : named("sagamart-${service}")])
  attest = ["type=provenance,mode=max", "type=sbom"]
}
