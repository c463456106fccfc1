# Everything a person types. `make demo` and `make test` do all the set-up themselves; `make help` lists the rest.

PYTHON ?= python3
JOBS   ?= 2
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help venv demo test dev drill bench lint format lock schema clean
.SUFFIXES:

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(READY) ## make or refresh the environment in .venv (instant when it is up to date)

# The lock holds hashes and no address: pip asks whatever index this machine is set up to use.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or later is needed; $(PYTHON) is older. Name another: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  package=$$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'); \
	  echo "This Python has no venv; Debian keeps it in the package $$package."; \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing $$package ..."; \
	    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$package) >/dev/null || exit 2; \
	  else \
	    echo "Install it, then run make again:   sudo apt-get install $$package" >&2; exit 2; \
	  fi; }
	@echo "Making the environment in $(VENV) (once; a minute or two) ..."
	@$(PYTHON) -m venv $(VENV)
	@echo "Installing the locked packages ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-input --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-input --no-deps --no-build-isolation -e .
	@touch $@
	@echo "Environment ready."

demo: venv ## sandbox, a settlement the whole way into the books, the result; leaves nothing running
	@$(BIN)/ledger-pipelines demo

test: venv ## all tests
	@$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(PYTEST_ARGS)

dev: venv ## Dagster UI on http://127.0.0.1:3000 with the sandbox beside it; Ctrl-C stops both
	@$(BIN)/ledger-pipelines dev

drill: venv ## break it on purpose, in every way there is, and look at the books (docs/reliability.md)
	@$(BIN)/python -m ledger_pipelines_tests.faults $(DRILL_ARGS)

bench: venv ## measure it against its peers and its goals; writes benchmarks/RESULTS.md and RESULTS.json (BENCH_ARGS="shop_calls shop_year": the long ones)
	@$(BIN)/python -m benchmarks $(BENCH_ARGS)

lint: venv ## format, lint, types, import rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m ledger_pipelines_tests.lint.money

format: venv ## put the format right
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: venv ## resolve requirements.lock anew: hashes, no address
	@$(BIN)/python -m venv $(VENV)/lock && $(VENV)/lock/bin/pip install -qq --disable-pip-version-check uv
	@$(VENV)/lock/bin/uv pip compile pyproject.toml --all-extras --no-strip-extras --universal --python-version 3.11 --upgrade \
	  --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet --output-file requirements.lock

schema: venv ## write docs/ledger.schema.json, the JSON Schema of ledger.yaml for editors
	@$(BIN)/ledger-pipelines config schema > docs/ledger.schema.json

clean: ## remove the environment and what programs left; your data in .ledger stays
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
