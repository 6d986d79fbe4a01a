# What people type daily. The work is done by `cloakform`; its exit codes are documented in README.md,
# make itself only says that something failed. ENV=prod narrows a target to one environment.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ENV ?=

.PHONY: help render check lint review explain new test rehearse deploy status sandbox test-cluster test-cluster-all test-claims bench clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

render: $(VENV)/.ready  ## Render, lint and write rendered/ (ENV=prod: one environment)
	@$(BIN)/cloakform render $(ENV)

check: $(VENV)/.ready  ## Fail where rendered/ is not what params and templates give
	@$(BIN)/cloakform check $(ENV)

lint: $(VENV)/.ready  ## Lint what params and templates give; write nothing
	@$(BIN)/cloakform lint $(ENV)

review: $(VENV)/.ready  ## Say what the change under rendered/ does (BASE=origin/main make review; ENV=prod: that one)
	@$(BIN)/cloakform review $${BASE:+--base "$$BASE"} $(ENV)

explain: $(VENV)/.ready  ## What a key means: make explain KEY=service.memory ENV=prod
	@$(BIN)/cloakform explain $(KEY) $(ENV)

new: $(VENV)/.ready  ## Start an environment: make new ENV=qa
	@$(BIN)/cloakform new $(ENV)

test: $(VENV)/.ready-test  ## Run the tests (ENV=prod: check and test that one environment's rendering)
	@$(BIN)/python -m pytest $(if $(ENV),-k "$(ENV)") $(T)

rehearse: $(VENV)/.ready  ## Start dev as a real cluster with Docker, drill it, take it down (ENV=prod: that one)
	@$(BIN)/cloakform rehearse up $(or $(ENV),dev)
	@$(BIN)/cloakform drill $(or $(ENV),dev); code=$$?; \
	  $(BIN)/cloakform rehearse down $(or $(ENV),dev); exit $$code

deploy: $(VENV)/.ready  ## Deploy what is committed: make deploy ENV=dev
	@$(BIN)/cloakform deploy $(ENV)

status: $(VENV)/.ready  ## Say how the stacks are (ENV=prod: that one)
	@$(BIN)/cloakform status $(ENV)

sandbox: $(VENV)/.ready  ## A first deployment to a local AWS: no account, no cost, nothing left behind
	@$(BIN)/cloakform sandbox

test-cluster: $(VENV)/.ready-test  ## Rehearse and drill real clusters (root on Debian: starts an engine where none runs)
	@$(BIN)/python -m pytest tests/cluster -m "not long" $(T)

test-cluster-all: $(VENV)/.ready-test  ## The same for every version, discovery and broken template (hours)
	@$(BIN)/python -m pytest tests/cluster --table docs/cluster-tests.md $(T)
	@$(BIN)/python -m tests.cluster detection --again

test-claims: $(VENV)/.ready-test  ## Try what the rules say of Keycloak on real servers; writes docs/claims.md (root on Debian, Java; an hour)
	@$(BIN)/python -m tests.claims

bench: $(VENV)/.ready-test  ## Measure against others' programs; prints ratios (WHAT=review: one of them)
	@$(BIN)/python -m benchmarks $(WHAT)

clean:  ## Remove the environment and the caches; what the cluster tests' engine still runs ends first
	@if [ -x $(BIN)/python ] && [ -d .cache/cluster/engine ]; then env -u CLOAKFORM_CLUSTER $(BIN)/python -m tests.cluster engine remove; fi
	rm -rf $(VENV) .cache build *.egg-info

# The environment is made again when the pinned requirements change. Pinned with hashes: the same everywhere.
$(VENV)/.ready: requirements.txt setup.cfg pyproject.toml
	@echo "making $(VENV)/ with the pinned requirements"
	@$(PYTHON) -c 'import sys; sys.exit("cloakform needs Python 3.10 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 10) else None'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . 2>/dev/null \
	  || $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/.ready-test: $(VENV)/.ready requirements-test.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.txt
	@touch $@
