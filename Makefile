# The one door to sagamart. `make` lists what there is; `make run` and `make test` need Linux, Python 3.11 or newer
# and git: everything else is brought in from the lock files, inside this folder.

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

UV := scripts/uv
IN_VENV := $(UV) run --frozen --no-sync
PYTEST := $(IN_VENV) pytest
# A file's tests stay in one process and in order, so a file that starts servers of its own starts them once.  Files are
# taken in the order of their names: the slow ones are not left to the end, where one worker would wait for the other.
TEST_WORKERS ?= 2
LOCKS := pyproject.toml uv.lock
SBOM ?= dist/sagamart.cdx.json
TOOLS_OF_TESTS := .venv/.newman .venv/.kafka .venv/.elastic .venv/rules .venv/.helm .venv/.browser
# Half of a start would otherwise go into compiling what never changes.
export UV_COMPILE_BYTECODE := 1

##@ The shop

.PHONY: run
run: .venv/.shop ## Start the shop with demo data (SAGAMART_PORT, SAGAMART_DATA change where)
	$(IN_VENV) sagamart up --demo

##@ While you work

.PHONY: check
check: lint test-architecture test-unit ## The inner loop: style, types, imports, fast tests; seconds, needs no server

.PHONY: lint
lint: .venv/.tools locked ## Style, types and import directions only
	$(IN_VENV) ruff format --check .
	$(IN_VENV) ruff check .
	$(IN_VENV) mypy
	$(IN_VENV) lint-imports --no-logo

.PHONY: fmt
fmt: .venv/.tools ## Format the code and mend what can be mended by itself
	$(IN_VENV) ruff format .
	$(IN_VENV) ruff check --fix .

.PHONY: docs
docs: .venv/.tools ## Write down what is read off the code (a test looks that it was done), and build the site of the documents
	$(IN_VENV) python -m sagamart.blueprints
	$(IN_VENV) python tests/simulation/planted/writing.py
	NO_MKDOCS_2_WARNING=1 $(IN_VENV) mkdocs build --quiet
	@echo "The site is in site/: open site/index.html"

.PHONY: manifests
manifests: .venv/.helm ## Give the Helm chart rules and dashboards; write down what it makes of its own values, for people without Helm
	cp deploy/observability/prometheus/alerts.yaml deploy/observability/prometheus/recording.yaml deploy/helm/sagamart/files/
	cp deploy/observability/grafana/dashboards/*.json deploy/helm/sagamart/files/dashboards/
	scripts/helm template sagamart deploy/helm/sagamart --namespace sagamart > deploy/manifests/sagamart.yaml

##@ Proof

.PHONY: test
test: lint $(TOOLS_OF_TESTS) ## Everything: the static checks, then all tests in one run
	$(PYTEST) -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder tests

.PHONY: sim
sim: .venv/.tools ## Simulate the shop with faults (SEED=… replays one run exactly; ORDERS=…, WITHOUT="crash,poison")
	$(IN_VENV) python tests/simulation/run.py $(if $(SEED),--seed $(SEED)) $(if $(ORDERS),--orders $(ORDERS)) \
	    $(if $(WITHOUT),--without "$(WITHOUT)")

.PHONY: prove
prove: .venv/.tools .venv/.kafka ## A night of proof: 20,000 seeds, 1,000 kills, 3 brokers, all planted bugs (PROVE="--seeds 500 --kills 30": less)
	$(IN_VENV) python tests/simulation/prove.py $(PROVE)

.PHONY: bench
bench: .venv/.tools ## Measure the shop on this machine (PARTS="kafka idle" only these)
	$(IN_VENV) python bench/run.py $(PARTS)

.PHONY: screenshots
screenshots: .venv/.tools .venv/.browser ## Take the pictures of the pages anew (docs/pictures/pages)
	$(IN_VENV) python tests/e2e/screenshots.py

# What comes from elsewhere is installed as uv.lock has it, to the hash, and never resolved anew: here, where no mirror that
# this machine is told of counts, it is held to what pyproject.toml asks for. Why so: docs/decisions/0022.
.PHONY: locked
locked:
	@env -u UV_INDEX -u UV_DEFAULT_INDEX -u UV_INDEX_URL -u UV_EXTRA_INDEX_URL $(UV) lock --quiet --check --offline --no-config \
	    || { echo 'uv.lock is not what pyproject.toml asks for: run scripts/uv lock, and commit both.' >&2; exit 1; }

.PHONY: sbom
sbom: ## Write down what the shop is made of, as CycloneDX (SBOM=dist/sagamart.cdx.json)
	@mkdir -p $(dir $(SBOM))
	$(UV) export --quiet --frozen --no-default-groups --all-extras --format cyclonedx1.5 --preview-features sbom-export \
	    --output-file $(SBOM)

.PHONY: supply-chain
supply-chain: locked sbom ## The same, and fail on what is known to be vulnerable (asks OSV over the network; OSV_URL=… a copy of it)
	$(UV) audit --frozen --preview-features audit-command $(addprefix --service-url=,$(OSV_URL))

.PHONY: load
load: .venv/.tools ## Customers in a shop whose processes die (LOAD_USERS, LOAD_RAMP_S, LOAD_SPIKE_S, LOAD_SOAK_S, LOAD_KILL_EVERY_S)
	$(IN_VENV) python bench/storm.py

##@ Suites of tests

.PHONY: test-unit
test-unit: .venv/.tools ## Rules of the shop, one by one, in memory
	$(PYTEST) tests/unit

.PHONY: test-module
test-module: .venv/.tools ## One service as a whole
	$(PYTEST) tests/module

.PHONY: test-controllers
test-controllers: .venv/.tools ## HTTP routes: statuses, problems, permissions
	$(PYTEST) tests/controllers

.PHONY: test-database
test-database: .venv/.tools ## Queries, constraints and migrations on a real PostgreSQL
	$(PYTEST) tests/database

.PHONY: test-integration
test-integration: .venv/.tools .venv/.kafka ## Several services together
	$(PYTEST) tests/integration

.PHONY: test-observability
test-observability: .venv/.tools .venv/.kafka .venv/.elastic .venv/rules ## Logs in a real Elasticsearch, alerts, dashboards, traces
	$(PYTEST) tests/observability

.PHONY: test-conformance
test-conformance: .venv/.tools .venv/.kafka ## The twins behave as the real parts do
	$(PYTEST) tests/conformance

.PHONY: test-simulation
test-simulation: .venv/.tools ## Seeded runs with crashes, duplicates, reordering and loss
	$(PYTEST) tests/simulation

.PHONY: test-architecture
test-architecture: .venv/.tools ## Rules of the house, each with a planted violation
	$(PYTEST) tests/architecture

.PHONY: test-scenario
test-scenario: .venv/.tools .venv/.newman .venv/.kafka ## The shop's story as a Postman collection against the running program
	$(PYTEST) tests/e2e -k scenario

.PHONY: test-chaos
test-chaos: .venv/.tools .venv/.newman .venv/.kafka ## Kill the running program and look for what it lost
	$(PYTEST) tests/e2e -k "not scenario and not web"

.PHONY: test-browser
test-browser: .venv/.tools .venv/.browser ## The pages in a real browser: customers' whole way, both languages, accessibility
	$(PYTEST) tests/e2e -k web

.PHONY: test-deployment
test-deployment: .venv/.tools .venv/.helm ## Image, compose file, Helm chart, documents
	$(PYTEST) tests/deployment

##@ About

.PHONY: help
help: ## This list
	@awk 'BEGIN { FS = ":.*## " } \
	    /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	    /^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# Two stamps, so that who only wants the shop does not wait for the tools of its builders.
.venv/.shop: $(LOCKS)
	@echo "Bringing in the libraries of the shop ..."
	$(UV) sync --frozen --inexact --no-default-groups
	@touch $@

.venv/.tools: $(LOCKS)
	@echo "Bringing in the libraries of the shop and the tools for working on it ..."
	$(UV) sync --frozen
	@touch $@ .venv/.shop

.venv/.newman: tests/e2e/newman/package-lock.json | .venv/.tools
	scripts/newman --version
	@touch $@

.venv/.kafka: src/sagamart/platform/broker/jars.txt src/sagamart/platform/broker/pom.xml | .venv/.tools
	scripts/kafka fetch
	@touch $@

.venv/.elastic: scripts/elastic tests/elastic_zip.py | .venv/.tools
	scripts/elastic fetch
	@touch $@

# The tool that tries the rules of Prometheus: built once, from pinned sources, by a minute of two processors.
.venv/rules: $(wildcard tests/observability/rules/*) | .venv/.tools
	scripts/rules build

.venv/.helm: scripts/helm-requirements.txt | .venv/.tools
	scripts/helm fetch
	@touch $@

.venv/.browser: scripts/browser tests/e2e/axe/package-lock.json | .venv/.tools
	scripts/browser
	@touch $@
