# `make run` and `make test` do all set-up themselves; `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2

.PHONY: help run test lint format types stubs clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*##/:/'

$(VENV)/.run: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	# peft asks for the package that isoform stands in for in its tests, hence without dependencies.
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps peft==0.10.0
	@touch $@

run: $(VENV)/.run  ## set up and generate text from the embedded checkpoint, on CPU, without network
	$(BIN)/isoform generate "ROMEO:" --max-new-tokens 120

lint: $(VENV)/.dev  ## check style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint  ## set up and run the whole suite
	OMP_NUM_THREADS=1 $(BIN)/pytest -n $(WORKERS)

format: $(VENV)/.dev  ## format and fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

stubs: $(VENV)/.dev  ## regenerate isoform/__init__.pyi
	$(BIN)/python tools/make_stubs.py

clean:  ## remove the environment and caches
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache
