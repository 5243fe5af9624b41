# Everything a person or CI does here. Needs make, Python 3.11 or newer, for the tests Node 20 or newer, and package
# registries; the rest is installed into .venv (the project), .venv/sam (SAM CLI, whose packages do not go together with
# the local engine's) and tests/e2e/sdks/node_modules (the JavaScript SDKs that the tests drive).

.DEFAULT_GOAL := help
.PHONY: help test lint build demo local bench openapi clean unit e2e artifact

PYTHON := $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
PIP_INSTALL := -m pip install -qq --disable-pip-version-check
PINS := layers/dependencies/requirements.txt
SAM_VERSION := 1.170.0
SDKS := tests/e2e/sdks

help:
	@echo "make demo    the main job from end to end, to watch; KEEP=1 leaves it up"
	@echo "make local   the local system, left up; PORT=4100 STATE=DIR WAIT_SCALE=0.1"
	@echo "make test    lint and all tests"
	@echo "make build   what gets deployed, and its tests; RUNTIME=python3.13 ARCHITECTURE=arm64"
	@echo "make lint    style, types, import directions, templates"
	@echo "make bench   calls, units, imports and memory of every function"
	@echo "make openapi writes the description of the API anew, which GET /openapi.json serves"
	@echo "make clean   remove all that these made"

# ---- Installed once, and again when what they depend on changes -------------------------------------------------------

.venv/pyvenv.cfg:
	@test -n "$(PYTHON)" || { echo "Tidings needs Python 3.11 or newer, and there is none on the PATH."; exit 1; }
	@echo "Making .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv

# The launcher's needs first, so that the demo does not wait for the linters.
.venv/local.stamp: .venv/pyvenv.cfg pyproject.toml $(PINS)
	@echo "Installing the local system into .venv"
	@$(BIN)/python $(PIP_INSTALL) -c $(PINS) -e '.[local,demo]'
	@touch $@

.venv/dev.stamp: .venv/local.stamp
	@echo "Installing the test tools into .venv (about a minute)"
	@$(BIN)/python $(PIP_INSTALL) -c $(PINS) -e '.[local,demo,dev]'
	@touch $@

.venv/sdks.stamp: $(SDKS)/package-lock.json | .venv/pyvenv.cfg
	@command -v npm > /dev/null || { echo "The tests drive JavaScript SDKs: they need Node 20 or newer, with npm."; exit 1; }
	@echo "Installing the JavaScript SDKs into $(SDKS)/node_modules"
	@cd $(SDKS) && npm ci --silent --no-audit --no-fund
	@touch $@

.venv/sam/$(SAM_VERSION).stamp:
	@test -n "$(PYTHON)" || { echo "Tidings needs Python 3.11 or newer, and there is none on the PATH."; exit 1; }
	@echo "Installing SAM CLI $(SAM_VERSION) into .venv/sam (about a minute)"
	@rm -rf .venv/sam
	@$(PYTHON) -m venv .venv/sam
	@.venv/sam/bin/python $(PIP_INSTALL) aws-sam-cli==$(SAM_VERSION)
	@touch $@

# ---- Test -------------------------------------------------------------------------------------------------------------

test: lint unit e2e

lint: .venv/dev.stamp
	@echo "Checking style, types, import directions and templates"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/mypy --no-error-summary --explicit-package-bases functions layers/dependencies/lock.py
	@$(BIN)/lint-imports --no-logo > .venv/imports.log || { cat .venv/imports.log; exit 1; }
	@$(BIN)/cfn-lint

unit: .venv/dev.stamp
	@echo "Testing units, functions and templates"
	@# A file to a worker, so that what a module sets up is set up once.
	@$(BIN)/pytest -n 2 --dist loadfile -m "not artifact" tests/unit tests/functional tests/infrastructure

# The engine takes both cores, so these run one after the other.
e2e: .venv/dev.stamp .venv/sdks.stamp
	@echo "Testing the whole on the local engine"
	@$(BIN)/pytest tests/e2e

# ---- Build ------------------------------------------------------------------------------------------------------------

# Without containers: functions bring no packages of their own, and the layers' makefiles ask for wheels by name.
build: .venv/sam/$(SAM_VERSION).stamp .venv/dev.stamp
	@echo "Validating the template"
	@$(SAM) validate --lint > .venv/sam-validate.log 2>&1 || { cat .venv/sam-validate.log; exit 1; }
	@echo "Building the functions and layers for $(RUNTIME) on $(ARCHITECTURE)"
	@$(SAM) build --parameter-overrides Runtime=$(RUNTIME) Architecture=$(ARCHITECTURE) > .venv/sam-build.log 2>&1 \
		|| { cat .venv/sam-build.log; exit 1; }
	@grep --only-matching "Note: .*" .venv/sam-build.log | sort --unique || true
	@$(MAKE) --no-print-directory artifact
	@echo "Built into .aws-sam/build. To deploy: .venv/sam/bin/sam deploy --guided"

artifact: .venv/dev.stamp
	@echo "Testing what was built"
	@RUNTIME=$(RUNTIME) ARCHITECTURE=$(ARCHITECTURE) $(BIN)/pytest -m artifact tests/infrastructure

RUNTIME ?= python3.13
ARCHITECTURE ?= arm64
SAM = env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 \
	PYTHON="$(abspath .venv/sam/bin/python)" RUNTIME=$(RUNTIME) ARCHITECTURE=$(ARCHITECTURE) .venv/sam/bin/sam

# ---- Run --------------------------------------------------------------------------------------------------------------

demo: .venv/local.stamp
	@$(BIN)/tidings demo $(if $(KEEP),--keep)

local: .venv/local.stamp
	@$(BIN)/tidings local $(if $(PORT),--port $(PORT)) $(if $(STATE),--state $(STATE)) \
		$(if $(WAIT_SCALE),--wait-scale $(WAIT_SCALE))

bench: .venv/dev.stamp
	@$(BIN)/python -m benchmarks

openapi: .venv/dev.stamp
	@$(BIN)/python -m tidings_cli.openapi

clean:
	@rm -rf $(SDKS)/node_modules .venv .aws-sam .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info
	@find . -type d -name __pycache__ -not -path "./.git/*" -exec rm -rf {} +
