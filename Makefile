# Xin: `make run` brings everything up, `make test` runs every test. `make help` lists the rest.
SHELL := /bin/bash
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
COMPILE := -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header
.DEFAULT_GOAL := help
.PHONY: help run test test-unit test-integration test-contract test-faults coverage lint typecheck imports house verify ci bench bench-quality load-test demo lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-18s %s\n", $$1, $$2}'

run: $(VENV)/.run ## start the whole platform, embedded, and print where to go
	@exec $(BIN)/python -m chatbot run

test: $(VENV)/.dev ## all tests but those beside Node simulators, with coverage of at least 85%
	@$(BIN)/python -m pytest -n 2 --dist loadfile --ignore=tests/simulators --cov=chatbot --cov-report=term:skip-covered --cov-fail-under=85

test-unit: $(VENV)/.dev ## unit and architecture tests
	@$(BIN)/python -m pytest tests/unit tests/architecture

test-integration: $(VENV)/.dev ## tests on the real PostgreSQL, HTTP model servers, S3
	@$(BIN)/python -m pytest tests/integration

test-contract: $(VENV)/.dev ## one contract, every implementation; the API fuzzed; conversations through simulators
	@$(BIN)/python -m pytest tests/contract tests/simulators

test-faults: $(VENV)/.dev ## processes killed with -9 under 5,000 events, a provider that hangs: alone, with figures
	@$(BIN)/python -m pytest tests/faults --durations=0 --durations-min=1

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

verify: lint typecheck imports house ## lint, types, import rules, house rules

ci: verify test ## what the pipeline runs

bench: $(VENV)/.dev ## speed beside a floor measured in the same run; writes bench/README.md
	@$(BIN)/python -m bench.run

bench-quality: $(VENV)/.dev ## answer quality on the judged question sets, through the public API
	@$(BIN)/python -m bench.quality

load-test: $(VENV)/.dev ## 100 conversations for a minute, judged by P95 and errors; LOCUST_HOST=… drives a platform that runs
	@$(BIN)/python -m tests.load.run

demo: $(VENV)/.run ## onboard a tenant on the running platform: make demo ADMIN_TOKEN=$$(xin token)
	@$(BIN)/python scripts/demo_onboarding.py --api-token "$(ADMIN_TOKEN)"

lock: $(VENV)/.uv ## lock the dependencies again (hashes, no addresses)
	@$(UV) pip compile $(COMPILE) --group build --group dev pyproject.toml -o requirements/dev.txt
	@$(UV) pip compile $(COMPILE) --group build pyproject.toml -c requirements/dev.txt -o requirements/run.txt

clean: ## remove the virtual environment and caches (never the data)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

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
