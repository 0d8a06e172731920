# Few words run the house: setup, demo, test, check, docs, site, reports; conformance, mutants and e2e for
# what needs the data or the programs of others.
# Every word sets up what it needs; on a fresh machine: git, Python >= 3.11 and make.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
E2E    := $(VENV)/.installed-e2e
FUZZ   := $(VENV)/.installed-fuzz
SECONDS ?= 60
WORKERS ?= auto

.PHONY: setup demo test check rego docs site reports conformance mutants fuzz e2e clean

setup: $(STAMP)  ## Make .venv with everything for use and development.

$(STAMP): requirements/dev.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(E2E): $(STAMP) requirements/e2e.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/e2e.txt
	touch $@

demo: setup  ## Audit the example company, faulty and put right.
	$(BIN)/auditor audit fixtures/clusters/peapods --fail-on never
	$(BIN)/auditor audit fixtures/clusters/peapods-fixed

test: setup  ## The tests that need nothing but this checkout.
	$(BIN)/python -m pytest -n $(WORKERS)

check: setup rego  ## Format, lint, types, import contracts, Rego, generated files.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check

rego: setup
	$(BIN)/python -m tests.e2e.rego policies

docs: setup  ## Write the pages that are made from the policies and the command line.
	$(BIN)/python docs/generate.py docs

site: $(E2E)  ## The documentation as a site, in dist/site.
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

reports: setup  ## Write what the tool says about fixtures/clusters.
	$(BIN)/python docs/generate.py reports

conformance: $(E2E)  ## Compare with recorded answers of real engines (AUDITOR_CONFORMANCE).
	$(BIN)/python -m pytest -n $(WORKERS) -m conformance

mutants: $(E2E)  ## Change POLICIES (all, or folders), one thing at a time: a fixture has to notice.
	$(BIN)/python -m tests.mutants $(POLICIES)

$(FUZZ): $(STAMP) requirements/fuzz.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/fuzz.txt
	touch $@

fuzz: $(FUZZ)  ## Feed each target with bytes for SECONDS: nothing breaks off, nothing is lost.
	for target in neighbours reports configuration reviews planted; do \
	  $(BIN)/python -m tests.fuzz $$target --seconds $(SECONDS) || exit 1; \
	done

e2e: $(E2E)  ## On a real control plane: lent, kind, or built here once from Go modules.
	$(BIN)/python -m tests.e2e.build
	$(BIN)/python -m tests.e2e.build opa pss actionlint || test "$$CI" != true
	$(BIN)/python -m tests.e2e.browser || test "$$CI" != true
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder -m e2e

clean:  ## Remove what was set up and built.
	rm -rf $(VENV) .cache dist
