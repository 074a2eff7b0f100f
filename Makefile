# Needs Python 3.11 or newer with pip, and make. Everything else goes into .venv.
# Another Python: make PYTHON=python3.13 test

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --quiet --disable-pip-version-check --no-input
PYTEST := $(BIN)/pytest -n auto --maxprocesses 4
RUNS := $(VENV)/.runs
TESTS := $(VENV)/.tests
# What keeps the lock files has an environment of its own.
TOOLS := $(VENV)/tools
# What builds the site and tries what stands around the tool.
ADOPTION := $(VENV)/adoption
EDITOR_LOCK := tests/adoption/editor/package.json tests/adoption/editor/package-lock.json
# What is measured beside us.
PEERS := $(VENV)/peers
# A release that was tampered with is mostly found within days: `make lock COOLDOWN='0 days'` for a
# repair that cannot wait.
COOLDOWN ?= 7 days
# A source archive would be built by whatever build tools are newest, which no hash here names.
LOCKED := --require-hashes --only-binary :all:
COMPILE = $(TOOLS)/bin/uv pip compile --quiet --no-config --universal --python-version 3.11 \
	--generate-hashes --upgrade --exclude-newer '$(COOLDOWN)' --custom-compile-command 'make lock'

# Tests start the command hundreds of times: each would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow test-all test-orchestrators test-newest test-oldest coverage mutants mutants-page fuzz lint types \
	bench bench-peers bench-curve wheel lock adoption site image release-check release sbom audit-dependencies clean

help:  ## Show what there is to make
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/  make \1 \2/p' Makefile | awk '{ printf "  %s %-19s", $$1, $$2; $$1 = $$2 = ""; print }'

demo: $(RUNS)  ## Audit a made-up account and write the reports
	@$(BIN)/fivetran-auditor demo

test: $(TESTS)  ## Run the tests, but for the slow ones
	$(PYTEST) -m "not slow"

test-slow: $(TESTS) $(ADOPTION)/.made $(TOOLS)/.made  ## Run the slow tests, and every law with all its examples
	$(PYTEST) -m "slow or hypothesis"

test-all: test test-slow  ## Run every test

test-orchestrators: $(TESTS)  ## Run the library's examples with Airflow and Dagster, in an environment of their own
	@$(PYTHON) -m venv --clear $(VENV)/orchestrators
	@$(VENV)/orchestrators/bin/python -m pip --quiet --quiet install --editable '.[orchestrators]'
	$(BIN)/pytest -n 0 tests/runs/test_orchestrators.py

test-newest:  ## Run the tests with the newest releases that pyproject.toml allows
	@$(PYTHON) -m venv --clear $(VENV)/newest
	@$(VENV)/newest/bin/python -m pip --quiet --quiet install --editable '.[dev]'
	$(VENV)/newest/bin/pytest -n auto --maxprocesses 4 -m "not slow"

test-oldest: $(TOOLS)/.made  ## Run the tests with the oldest releases that pyproject.toml allows
	@$(PYTHON) -m venv --clear $(VENV)/oldest
	@$(TOOLS)/bin/uv pip compile --quiet --no-config --resolution lowest-direct pyproject.toml \
		--output-file $(VENV)/oldest/floor.txt
	@$(VENV)/oldest/bin/python -m pip --quiet --quiet install --constraint $(VENV)/oldest/floor.txt \
		--editable '.[dev]'
	$(VENV)/oldest/bin/pytest -n auto --maxprocesses 4 -m "not slow"

coverage: $(TESTS)  ## Run the tests, and hold what share of all branches they take
	@rm -f .coverage .coverage.*
	@# A process that may write no large file cannot write down what it ran either. What a tracer
	@# disturbs (two threads that begin at once) gets a second try; `make test` has none.
	$(BIN)/coverage run -m pytest -n auto --maxprocesses 4 -m "not slow" \
		--deselect tests/proofs/test_crash_safety.py::test_what_cannot_be_written_is_4_and_said \
		|| $(BIN)/coverage run -m pytest -n 0 -m "not slow" --last-failed --last-failed-no-failures none
	@$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=95
	$(BIN)/coverage report --fail-under=100 --include="$$($(BIN)/python -m tests.proofs.mutation --modules)"

mutants: $(TESTS)  ## Break the code that decides, a place at a time, and hold that a test fails
	$(BIN)/python -m tests.proofs.mutation $(MODULES) $(if $(SINCE),--since $(SINCE)) $(MUTANTS_FLAGS)

mutants-page: $(TESTS)  ## The same with the page's scripts, in Chromium
	$(BIN)/python -m tests.proofs.mutation --page $(MODULES) $(if $(SINCE),--since $(SINCE)) $(MUTANTS_FLAGS)

fuzz: $(TESTS)  ## Try a million broken policies, waivers, snapshots and pages
	$(BIN)/python -m tests.proofs.fuzzing 1000000

lint: $(TESTS)  ## Check style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(TESTS)  ## Check types
	$(BIN)/mypy

bench: $(TESTS)  ## Measure speed and memory against plain loops; BENCH_FLAGS=--check holds the bars
	@$(BIN)/python -m bench $(BENCH_FLAGS)

bench-peers: $(TESTS) $(PEERS)/.made  ## Measure other engines beside us, by the same rules; BENCH_FLAGS='--count N --check'
	@$(BIN)/python -m bench.peers $(BENCH_FLAGS)

bench-curve: $(TESTS)  ## Measure how cost grows, and draw it for docs/performance.md; BENCH_FLAGS=--quick for a small run
	@$(BIN)/python -m bench.curve $(BENCH_FLAGS)

site: $(TESTS) $(ADOPTION)/.made  ## Build the site into build/website/html, strictly
	@$(BIN)/python -m website build/website
	@NO_MKDOCS_2_WARNING=1 $(ADOPTION)/bin/mkdocs --quiet build --strict --clean --config-file build/website/mkdocs.yml

image: $(TESTS)  ## Build the image; needs mmdebstrap and buildah
	@PATH="$(CURDIR)/$(BIN):$$PATH" image/build fivetran-auditor

wheel: $(TESTS)  ## Build the wheel into dist/: the same tree, the same bytes
	@$(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .
	@$(BIN)/python -m pip hash dist/*.whl

release-check:  ## Say what is missing for a release
	@$(PYTHON) .ci/release_check.py

sbom: $(ADOPTION)/.made  ## Write what is installed with the auditor into dist/sbom.cdx.json
	@mkdir -p dist
	@$(ADOPTION)/bin/cyclonedx-py requirements requirements/run.txt --pyproject pyproject.toml \
		--output-reproducible --validate --output-file dist/sbom.cdx.json 2> dist/sbom.log \
		|| { cat dist/sbom.log; exit 1; }
	@rm dist/sbom.log

release: wheel sbom site  ## Build all that a release publishes, but for the image
	@$(BIN)/python -m hatchling build --target sdist
	@$(PYTHON) .ci/release_check.py --notes > dist/notes.md

lock: $(TOOLS)/.made  ## Choose the dependencies of development and CI anew
	$(COMPILE) --extra dev pyproject.toml --output-file requirements/dev.txt
	$(COMPILE) --group tools --output-file requirements/tools.txt
	$(COMPILE) --group adoption --output-file requirements/adoption.txt
	$(COMPILE) --group peers --output-file requirements/peers.txt
	$(COMPILE) pyproject.toml --output-file requirements/run.txt

audit-dependencies: $(TOOLS)/.made  ## Ask PyPI whether a locked release has a known vulnerability
	@$(TOOLS)/bin/python .ci/audit_dependencies.py $(AUDIT_FLAGS) requirements/*.txt

clean:  ## Remove what was made, .venv included
	rm -rf $(VENV) dist build .coverage* audit-report .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv $(VENV)

$(RUNS): pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV) ..."
	@$(PIP) install --editable .
	@touch $@

$(TESTS): pyproject.toml requirements/dev.txt | $(BIN)/python
	@echo "Installing into $(VENV), with what the tests need ..."
	@$(PIP) install $(LOCKED) --requirement requirements/dev.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@ $(RUNS)

adoption: $(ADOPTION)/.made  ## Install what builds the site and tries actions, hooks and templates

# Without npm there is no language server of editors to try the schemas with, and the tests say so.
$(ADOPTION)/.made: requirements/adoption.txt $(EDITOR_LOCK)
	@$(PYTHON) -m venv $(ADOPTION)
	@$(ADOPTION)/bin/python -m pip --quiet --quiet install $(LOCKED) --requirement $<
	@mkdir -p $(ADOPTION)/node && cp $(EDITOR_LOCK) $(ADOPTION)/node
	@! command -v npm > /dev/null || { npm ci --silent --no-audit --no-fund --ignore-scripts --prefix $(ADOPTION)/node \
		&& ln -sf ../node/node_modules/.bin/yaml-language-server $(ADOPTION)/bin; }
	@touch $@

# Without npm the one peer of Node is left out, and the bench says so.
$(PEERS)/.made: requirements/peers.txt bench/peers/package.json bench/peers/package-lock.json
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip --quiet --quiet install $(LOCKED) --requirement $<
	@mkdir -p $(PEERS)/node && cp bench/peers/package.json bench/peers/package-lock.json $(PEERS)/node
	@! command -v npm > /dev/null || npm ci --silent --no-audit --no-fund --ignore-scripts --prefix $(PEERS)/node
	@touch $@

$(TOOLS)/.made: requirements/tools.txt
	@$(PYTHON) -m venv $(TOOLS)
	@$(TOOLS)/bin/python -m pip --quiet --quiet install $(LOCKED) --requirement $<
	@touch $@
