# make demo | test | lint | bench | docs     Everything lives in .venv and .tg_ingest; nothing else is touched.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable
ARGS ?=

.PHONY: demo test lint format docs bench clean

demo: .venv/.demo
	@$(BIN)/python -m tg_ingest demo $(ARGS)

test: .venv/.test
	@$(BIN)/python -m pytest $(ARGS)

lint: .venv/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python

format: .venv/.lint
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/.test
	@$(BIN)/python -m tg_ingest_tests.benchmarks $(ARGS)

docs: .venv/.test
	$(BIN)/python tg_ingest_tests/documentation.py

clean:
	rm -rf .venv .tg_ingest .pytest_cache .ruff_cache .hypothesis

.venv/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "tg_ingest needs Python 3.11 or newer, and there is no $(PYTHON). Try: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "tg_ingest needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@echo "Creating .venv ..." >&2
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

.venv/.demo: .venv/bin/python pyproject.toml constraints.txt
	@echo "Installing tg_ingest and what it needs (about a minute) ..." >&2
	@$(PIP) '.[demo]' && touch $@

.venv/.test: .venv/.demo
	@$(PIP) '.[demo,test]' && touch $@

.venv/.lint: .venv/.test
	@$(PIP) '.[demo,test,lint]' && touch $@
