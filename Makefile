# `make demo` paints the sample clip, `make test` runs every check but the slow ones; both build .venv when it is missing.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO := demo/sample.monet.mp4

.PHONY: help demo test test-slow lint types imports pytest format clean

help:  ## say what there is
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

demo: $(READY)  ## paint the sample clip to demo/sample.monet.mp4
	mkdir -p $(dir $(DEMO))
	$(BIN)/vidstyle run samples/sample.mp4 --style monet -o $(DEMO) -y

test: lint types imports pytest  ## every check but the slow ones

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(READY)
	$(BIN)/mypy --strict vidstyle

imports: $(READY)
	$(BIN)/lint-imports

pytest: $(READY)
	$(BIN)/pytest

test-slow: $(READY)  ## the tests that take minutes
	$(BIN)/pytest -m slow

format: $(READY)  ## put the code into shape
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean:  ## remove .venv, caches and the demo
	rm -rf $(VENV) demo build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find vidstyle tests -name __pycache__ -prune -exec rm -rf {} +

# The stamp is older than what it was built from when a dependency changes: then pip runs again.
$(READY): pyproject.toml constraints.txt
	@python=$(BIN)/python; \
	if ! "$$python" -c '' 2> /dev/null; then \
	  for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	    "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null && break; \
	  done || { echo 'vidstyle needs Python 3.11 or newer: install it, then run make again' >&2; exit 1; }; \
	  echo "building $(VENV) with $$python: some minutes the first time" >&2; \
	  "$$python" -m venv --clear $(VENV); \
	fi
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
