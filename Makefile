# On a fresh Debian or Ubuntu machine with Python 3.11+ and make: `make rules`, `make test`.
PYTHON ?= python3
export SLO_COMPILER_TOOLS ?= $(CURDIR)/.tools
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
SUITES := bookworm trixie forky

.PHONY: setup rules check proofs test test-fast coverage fuzz lint demo tools tools-all bench-eval bench-hour bench-compile bench-hostile bench-proofs golden docs site sbom lock browser clean help

REPOS := examples examples/severities examples/vocabulary

rules: $(VENV)/installed tools ## compile examples/ and verify the result
	@for repo in $(REPOS); do \
		$(BIN)/slo-compiler compile --project $$repo/slo-compiler.yaml || exit 1; done

check: $(VENV)/installed tools ## is examples/generated up to date?
	@for repo in $(REPOS); do \
		$(BIN)/slo-compiler compile --check --project $$repo/slo-compiler.yaml || exit 1; done

proofs: rules ## run the proofs that were compiled with the examples
	@cd examples && ../$(BIN)/slo-compiler test

test: $(VENV)/installed-dev tools-all ## run all tests, those against real servers included
	@$(BIN)/pytest -n auto -m "not slow" --cov --cov-report=
	@PYTHONPATH=tests/support $(BIN)/python -m covered
	@$(BIN)/pytest -n auto -m slow --cov --cov-append --cov-report=term

test-fast: $(VENV)/installed-dev tools-all ## run the units and goldens that start hardly a program
	@$(BIN)/pytest -n auto -m "not slow and not processes" tests/unit tests/golden

coverage: $(VENV)/installed-dev tools-all ## run the fast tests and print the lines that they do not reach
	@$(BIN)/pytest -n auto -m "not slow" --cov --cov-report=term
	@PYTHONPATH=tests/support $(BIN)/python -m covered

lint: $(VENV)/installed-dev ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

setup: $(VENV)/installed-dev tools-all ## the compiler, the servers and the parts of the demo, as the tutorial needs them

demo: $(VENV)/installed-dev tools-all ## break a tenant's service and watch the pages arrive
	@$(BIN)/python examples/demo/run.py

tools: $(VENV)/installed ## fetch promtool and amtool, once, without root
	@$(BIN)/python -m slo_compiler.tools

tools-all: $(VENV)/installed ## the same of all suites, with the servers
	@$(BIN)/python -m slo_compiler.tools --servers $(SUITES)

browser: ## install Debian's Chromium for the tests of the report, where there is none and this is root
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "installing chromium" && apt-get -qq update && DEBIAN_FRONTEND=noninteractive \
		apt-get -qq -o DPkg::Lock::Timeout=300 install --no-install-recommends chromium >/dev/null; \
	else echo "no Chromium: tests of the report in a browser are skipped, and fail where CI is set"; fi

bench-eval: $(VENV)/installed-dev tools-all ## cost of evaluation, beside rules of other shapes
	@PYTHONPATH=examples $(BIN)/python benchmarks/eval.py --plot docs/cost.svg

bench-hour: $(VENV)/installed-dev tools-all ## an hour of SLOS (10000) of TENANTS (1000) on one Prometheus; SERIES, MINUTES, ARGS
	@PYTHONPATH=examples $(BIN)/python benchmarks/hour.py --slos $(or $(SLOS),10000) \
		--tenants $(or $(TENANTS),1000) --series $(or $(SERIES),20) --minutes $(or $(MINUTES),60) $(ARGS)

bench-compile: $(VENV)/installed-dev tools ## time of compiles, beside Sloth's where SLOTH names its binary
	@$(BIN)/python benchmarks/compile.py

bench-hostile: $(VENV)/installed-dev ## what very large tenants take, and which are refused
	@PYTHONPATH=tests/support $(BIN)/python benchmarks/hostile.py

bench-proofs: $(VENV)/installed-dev tools ## time that the proofs of 100 SLOs take
	@PYTHONPATH=examples $(BIN)/python benchmarks/proofs.py

fuzz: $(VENV)/installed-dev tools-all ## draw hostile manifests, projects and queries for MINUTES (60), half of them guided by coverage
	@$(PIP) install --require-hashes --no-deps --only-binary :all: -r requirements/fuzz.lock || true
	@PYTHONPATH=tests/support $(BIN)/python -m fuzz $(or $(MINUTES),60)

golden: $(VENV)/installed-dev ## accept the present output as golden/
	@$(BIN)/pytest -q tests/golden --snapshot-update

docs: $(VENV)/installed ## write the pages, lists and plots that come from the code, from tests or from measured tables
	@$(BIN)/python -m slo_compiler.lint.document > docs/lints.md
	@$(BIN)/python -m slo_compiler.cli.document > docs/commands.md
	@$(BIN)/python -m slo_compiler.schema.document > docs/manifest-keys.md
	@PYTHONPATH=tests/support $(BIN)/python -m escapes docs/security.md
	@PYTHONPATH=tests/support $(BIN)/python -m plots docs
	@PYTHONPATH=tests/support $(BIN)/python -m speed_plot docs
	@PYTHONPATH=tests/support $(BIN)/python -m licences docs/supply-chain.md
	@PYTHONPATH=tests/support $(BIN)/python -m same docs/same.md

site: $(VENV)/installed-dev ## build the documentation as a site, with search, in site/
	@$(BIN)/python -m sphinx -q -W --keep-going -b dirhtml docs site
	@echo "site/index.html: python3 -m http.server -d site 8000 shows it"

sbom: $(VENV)/installed-dev ## write the bill of materials, dist/sbom.cdx.json
	@mkdir -p dist
	@$(BIN)/python -m cyclonedx_py requirements requirements/runtime.lock --of JSON --output-reproducible \
		-o dist/sbom.cdx.json

lock: $(VENV)/installed-dev ## pin all dependencies, with hashes
	@for part in runtime build dev fuzz; do \
		$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
			--python-version 3.11 $$([ $$part = runtime ] || echo --extra $$part) pyproject.toml \
			-o requirements/$$part.lock || exit 1; done

clean: ## remove what make made; the fetched tools stay
	rm -rf $(VENV) $(REPOS:%=%/generated)

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

# Debian's python3 comes without ensurepip: pip's wheel is then a package of its own.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name it with make PYTHON=..."; exit 1; }
	@echo "creating $(VENV)"
	@$(PYTHON) -m venv --without-pip $(VENV)
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null && $(BIN)/python -m ensurepip >/dev/null \
		|| $(PYTHON) -m slo_compiler.tools --pip $(BIN)/python

$(VENV)/installed: requirements/build.lock pyproject.toml | $(BIN)/python
	@echo "installing the compiler"
	@$(PIP) install --require-hashes --no-deps -r requirements/build.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/installed-dev: requirements/dev.lock $(VENV)/installed
	@echo "installing what the tests need"
	@$(PIP) install --require-hashes --no-deps -r requirements/dev.lock
	@touch $@
