# `make demo` and `make test` are all that a newcomer needs; each makes the virtual environment.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
UV := $(shell command -v uv 2>/dev/null)

.PHONY: demo test lint types lock bench oracle clean

demo: $(READY)  ## export hunts from a local stand-in tenant through Dagster, and query the lake
	@$(BIN)/huntlake demo

test: $(READY)  ## run the tests
	@$(BIN)/python -m pytest

lint: $(READY)  ## check style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

lock: $(READY)  ## resolve the dependencies anew into requirements.txt
ifndef UV
	@$(BIN)/python -m pip install --quiet uv
endif
	@$(or $(UV),$(BIN)/uv) pip compile pyproject.toml --extra dev --universal \
		--python-version 3.11 --generate-hashes --no-emit-package huntlake --upgrade --quiet \
		--custom-compile-command "make lock" --output-file requirements.txt

bench: $(READY)  ## install what the benchmark of landing compares with
ifdef UV
	@uv pip install --quiet --python $(BIN)/python --no-build-isolation -e '.[bench]'
else
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation \
		-e '.[bench]'
endif

oracle:  ## install the language's own parser and binder, which some tests ask (needs npm)
	@npm install --prefix tests/kql/oracle --no-package-lock --no-audit --no-fund --silent

clean:  ## remove the environment, the demo's data and Dagster's history
	rm -rf $(VENV) data .dagster

# The environment is made anew when the lock or the project's metadata is newer than it.
$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "huntlake needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	@echo "Making the virtual environment in $(VENV) ..."
ifdef UV
	@uv venv --quiet --clear --python $(PYTHON) $(VENV)
	@uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes -r requirements.txt
	@uv pip install --quiet --python $(BIN)/python --no-build-isolation --no-deps -e .
else
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
		-r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation \
		--no-deps -e .
endif
	@touch $@
