# Everything a contributor types. Each target sets up what it needs, inside this folder:
# `.venv` (the environment), `.cache` (caches, temporary files), `.demo` (the demo's home).

PYTHON ?= python3
WORKERS ?= 2
VENV := .venv
PY := $(VENV)/bin/python
UNFINISHED := .cache/venv-unfinished
PINS := requirements/constraints.txt

# Another environment that is active in the caller's shell must not leak into ours.
unexport PYTHONPATH PYTHONHOME
export PIP_CACHE_DIR := $(CURDIR)/.cache/pip
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_USER := 0

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo test soak bench bench-peers bench-server format pins clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/demo-ready  ## Train and compare real models in a flow that is killed half-way and resumed
	@NADI_HOME=.demo $(PY) examples/demo/run.py

test: export NADI_HOME := $(CURDIR)/.cache/test-home
test: export PYTEST_DEBUG_TEMPROOT := $(CURDIR)/.cache/tmp
test: export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/.cache/hypothesis
test: $(VENV)/test-ready  ## Check format, lint and types, and run all tests but the long ones
	@mkdir -p "$$PYTEST_DEBUG_TEMPROOT"
	$(PY) -m ruff format --check
	$(PY) -m ruff check
	$(PY) -m mypy
	$(PY) -m pytest -n $(WORKERS) -m "not soak"

soak: export NADI_HOME := $(CURDIR)/.cache/test-home
soak: export PYTEST_DEBUG_TEMPROOT := $(CURDIR)/.cache/tmp
soak: export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/.cache/hypothesis
soak: $(VENV)/test-ready  ## Run the long tests
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

format: $(VENV)/test-ready  ## Format the code and mend what the linter can mend
	$(PY) -m ruff check --fix
	$(PY) -m ruff format

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
	rm -rf .venv .cache .demo dist
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
