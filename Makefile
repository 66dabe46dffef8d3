# The only commands a person must know. Each installs what it needs, once, into .venv.
PYTHON ?= python3.11
BIN := .venv/bin
INSTALLED := .venv/.installed
UV := uv==0.13.9

.PHONY: help demo test check
help: ## this list
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/'

demo: $(INSTALLED) ## the whole loop on this machine: harvest, curate, train, gate, serve, review
	$(BIN)/python -m app demo $(ARGS)

test: $(INSTALLED) ## every test, against real parts
	$(BIN)/python -m pytest $(ARGS)

check: $(INSTALLED) ## style, types, import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(INSTALLED): requirements.txt requirements-torch.txt
	@command -v $(PYTHON) >/dev/null || { echo "expected $(PYTHON) on PATH; install Python 3.11 or pass PYTHON=..."; exit 1; }
	@echo "Installing the pinned packages into .venv (once; about a minute and 4 GB)"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --no-deps $(UV)
	$(BIN)/python -m pip install --quiet --no-deps -r requirements-torch.txt
	$(BIN)/uv pip install --python $(BIN)/python --no-deps --require-hashes --quiet -r requirements.txt
	@touch $@
