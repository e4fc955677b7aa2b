# Everything a contributor types. Each target sets up what it needs, inside this folder:
# `.venv` (the environment), `.cache` (caches, temporary files), `.demo` (the demo's home), and in `ui` its
# `node_modules`.

PYTHON ?= python3
WORKERS ?= 2
VENV := .venv
PY := $(VENV)/bin/python
UNFINISHED := .cache/venv-unfinished
PINS := requirements/constraints.txt
UI_READY := .cache/ui-ready
CHROMIUM_READY := .cache/chromium-ready

# Another environment that is active in the caller's shell must not leak into ours.
unexport PYTHONPATH PYTHONHOME
export PIP_CACHE_DIR := $(CURDIR)/.cache/pip
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_USER := 0
export npm_config_cache := $(CURDIR)/.cache/npm
export npm_config_audit := false
export npm_config_fund := false
export npm_config_update_notifier := false

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo test soak bench bench-peers bench-server bench-pages ui format pins clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/demo-ready  ## Train and compare real models in a flow that is killed half-way and resumed
	@NADI_HOME=.demo $(PY) examples/demo/run.py

test: export NADI_HOME := $(CURDIR)/.cache/test-home
test: export PYTEST_DEBUG_TEMPROOT := $(CURDIR)/.cache/tmp
test: export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/.cache/hypothesis
test: $(VENV)/test-ready $(UI_READY) $(CHROMIUM_READY)  ## Check format, lint and types, and run all tests but the long ones
	@mkdir -p "$$PYTEST_DEBUG_TEMPROOT"
	cd ui && npm run --silent check
	$(PY) -m ruff format --check
	$(PY) -m ruff check
	$(PY) -m mypy
	$(PY) -m pytest -n $(WORKERS) -m "not soak"

soak: export NADI_HOME := $(CURDIR)/.cache/test-home
soak: export PYTEST_DEBUG_TEMPROOT := $(CURDIR)/.cache/tmp
soak: export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/.cache/hypothesis
soak: $(VENV)/test-ready $(UI_READY) $(CHROMIUM_READY)  ## Run the long tests
	@mkdir -p "$$PYTEST_DEBUG_TEMPROOT"
	$(PY) -m pytest -m soak --timeout 3600

bench: export NADI_HOME := $(CURDIR)/.cache/bench-home
bench: $(VENV)/test-ready  ## Measure against yardsticks in the same run
	@$(PY) -m benchmarks

bench-peers: export NADI_HOME := $(CURDIR)/.cache/bench-home
bench-peers: $(VENV)/test-ready  ## Measure side by side with Prefect and DBOS, which it installs
	@$(PY) benchmarks/peers.py

bench-server: export NADI_HOME := $(CURDIR)/.cache/bench-home
bench-server: $(VENV)/test-ready  ## Measure every answer of the server at ten thousand and a million task runs
	@$(PY) -m benchmarks.serving

bench-pages: export NADI_HOME := $(CURDIR)/.cache/bench-home
bench-pages: $(VENV)/test-ready $(CHROMIUM_READY)  ## Measure the pages in a browser, with a run of 10,000 tasks and with 1,000,000 task runs
	@$(PY) -m benchmarks.pages

ui: $(VENV)/test-ready $(UI_READY)  ## Build the web UI into the package, and the types that it takes from the API
	cd ui && npm run --silent types && npm run --silent build

format: $(VENV)/test-ready $(UI_READY)  ## Format the code and mend what the linter can mend
	$(PY) -m ruff check --fix
	$(PY) -m ruff format
	cd ui && npm run --silent format

# Resolved with the lowest Python that we support, because some libraries have left it behind.
pins:  ## Renew the pinned versions of all that tests and demo use
	$(PYTHON) -m venv --clear .cache/pins
	.cache/pins/bin/python -m pip install --quiet -r requirements/build.txt -r requirements/demo.txt -r requirements/test.txt
	.cache/pins/bin/python -m pip install --quiet --no-build-isolation --editable .
	@sed -n '/^#/p' $(PINS) > .cache/pins/constraints.txt
	@.cache/pins/bin/python -m pip list --format=freeze --exclude nadi --exclude pip --exclude setuptools \
		--exclude wheel >> .cache/pins/constraints.txt
	@mv .cache/pins/constraints.txt $(PINS)
	@rm -rf .cache/pins

clean:  ## Remove everything the other targets made
	rm -rf .venv .cache .demo dist ui/node_modules
	find src tests benchmarks examples -name __pycache__ -type d -prune -exec rm -rf {} +

# The marker tells of an installation that was cut off. It begins anew, because pip takes a half-copied
# package for an installed one. It lies outside the environment, which `venv --clear` empties.
define install
@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Nadi needs Python 3.11 or newer, and " \
	+ sys.executable + " is older. Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)")'
@mkdir -p .cache
@if [ -e $(UNFINISHED) ] || ! $(PY) -m pip --version > /dev/null 2>&1; then \
	touch $(UNFINISHED) && $(PYTHON) -m venv --clear $(VENV); fi
@touch $(UNFINISHED) && echo "Setting up $@ ..."
@$(PY) -m pip install --quiet --constraint $(PINS) --requirement requirements/build.txt
@$(PY) -m pip install --quiet --constraint $(PINS) --no-build-isolation --editable . $(1)
@touch $@ && rm -f $(UNFINISHED)
endef

# The tests run the demo too. Neither stands on the other, since an environment made anew lacks both.
$(VENV)/demo-ready: pyproject.toml $(PINS) requirements/build.txt requirements/demo.txt
	$(call install,--requirement requirements/demo.txt)

$(VENV)/test-ready: pyproject.toml $(PINS) requirements/build.txt requirements/demo.txt requirements/test.txt
	$(call install,--requirement requirements/demo.txt --requirement requirements/test.txt)

$(UI_READY): ui/package-lock.json
	@node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' \
		|| { echo "The web UI is checked and built with Node 20.19 or newer. Install it; Nadi itself needs none."; exit 1; }
	@mkdir -p .cache && echo "Setting up ui/node_modules ..."
	@cd ui && npm ci --silent
	@touch $@

# Where there is no package manager that we know, its path says where it is.
$(CHROMIUM_READY):
	@mkdir -p .cache
	@if [ -z "$$NADI_CHROMIUM" ] && ! command -v chromium > /dev/null \
		&& ! command -v chromium-browser > /dev/null; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
			echo "Setting up Chromium ..." && apt-get update -qq \
			&& DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium > /dev/null; \
		else \
			echo "The tests of the pages need Chromium. Install it, or let NADI_CHROMIUM say where it is."; exit 1; \
		fi; \
	fi
	@touch $@
