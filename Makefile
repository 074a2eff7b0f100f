# Needs Python 3.11 or newer with pip, and make. Everything else goes into .venv.
# Another Python: make PYTHON=python3.13 test

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --quiet --disable-pip-version-check --no-input
PYTEST := $(BIN)/pytest -n auto --maxprocesses 4
RUNS := $(VENV)/.runs
TESTS := $(VENV)/.tests

# Tests start the command hundreds of times: each would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow test-all coverage mutants fuzz lint types bench wheel clean

help:  ## Show what there is to make
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/  make \1 \2/p' Makefile | awk '{ printf "  %s %-10s", $$1, $$2; $$1 = $$2 = ""; print }'

demo: $(RUNS)  ## Audit a made-up account and write the reports
	@$(BIN)/fivetran-auditor demo

test: $(TESTS)  ## Run the tests, but for the slow ones
	$(PYTEST) -m "not slow"

test-slow: $(TESTS)  ## Run the slow tests
	$(PYTEST) -m slow

test-all: test test-slow  ## Run every test

coverage: $(TESTS)  ## Run the tests, and hold what share of all branches they take
	@rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest -n auto --maxprocesses 4 -m "not slow"
	@$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=95
	$(BIN)/coverage report --fail-under=100 --include=$$($(BIN)/python -m tests.proofs.mutation --modules)

mutants: $(TESTS)  ## Break the code that decides, a line at a time, and hold that a test fails
	$(BIN)/python -m tests.proofs.mutation

fuzz: $(TESTS)  ## Try a million broken policies, waivers, snapshots and pages
	$(BIN)/python -m tests.proofs.fuzzing 1000000

lint: $(TESTS)  ## Check style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(TESTS)  ## Check types
	$(BIN)/mypy

bench: $(TESTS)  ## Measure speed and memory against plain loops, as ratios
	@$(BIN)/python -m bench

wheel: $(RUNS)  ## Build the wheel into dist/
	@$(PIP) wheel --no-deps --wheel-dir dist .
	@ls dist

clean:  ## Remove what was made, .venv included
	rm -rf $(VENV) dist build mutants .coverage* audit-report .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv $(VENV)

$(RUNS): pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV) ..."
	@$(PIP) install --editable .
	@touch $@

$(TESTS): pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV), with what the tests need ..."
	@$(PIP) install --editable '.[dev]'
	@touch $@ $(RUNS)
