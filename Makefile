# The only commands a person must know. Each installs what it needs, once, into .venv.
PYTHON ?= python3.11
BIN := .venv/bin
INSTALLED := .venv/.installed
UV := uv==0.13.9

.PHONY: help install demo test check docs lock
help: ## this list
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/'

install: $(INSTALLED) ## what the others need, into .venv

demo: $(INSTALLED) ## the whole loop on this machine: harvest, curate, train, gate, serve, review
	$(BIN)/python -m app demo $(ARGS)

# Tests start dozens of processes: each would compile our own sources anew where the machine forbids to keep them.
test: export PYTHONDONTWRITEBYTECODE =
test: $(INSTALLED) ## every test, against real parts
	@infra/test-machine.sh
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(INSTALLED) ## style, types, import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(INSTALLED) ## the documentation as a site, in .work/site; a broken link or anchor is an error
	$(BIN)/python -m docs.website $(ARGS)

lock: $(INSTALLED) ## write the pinned list anew from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --group dev --override infra/overrides.txt --python-version 3.11 \
	  --python-platform x86_64-manylinux_2_28 --generate-hashes --no-annotate --no-header --no-emit-package torch \
	  --no-emit-index-url --no-emit-find-links --quiet --output-file requirements.txt

$(INSTALLED): requirements.txt requirements-torch.txt
	@command -v $(PYTHON) >/dev/null || { echo "expected $(PYTHON) on PATH; install Python 3.11 or pass PYTHON=..."; exit 1; }
	@echo "Installing the pinned packages into .venv (once; about a minute and 4 GB)"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --no-deps $(UV)
	$(BIN)/python -m pip install --quiet --no-deps -r requirements-torch.txt
	$(BIN)/uv pip install --python $(BIN)/python --no-deps --require-hashes --compile-bytecode --quiet \
	  -r requirements.txt
	@touch $@
