# One image under its own name, and one for each service, named and labelled after it, for registries with a place for each.
# They share every layer: only the labels differ. With the target `sagamart` behind it the command builds the one alone;
# without --file, bake would read compose.yaml as well.
#   REGISTRY=registry.example.com/shop VERSION=0.1.0 docker buildx bake --file docker-bake.hcl --push

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

group "default" { targets = ["sagamart", "services"] }

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
  tags   = [named("sagamart")]
  attest = ["type=provenance,mode=max", "type=sbom"]
}

target "services" {
  name     = "sagamart-${service}"
  matrix   = { service = SERVICES }
  inherits = ["sagamart"]
  tags     = [named("sagamart-${service}")]
  labels = {
    "org.opencontainers.image.title"       = "sagamart-${service}"
    "org.opencontainers.image.description" = "The ${service} of sagamart, the order engine of an online store"
  }
}
