# make demo   the main job, on the example service
# make test   the project's own tests
# make lint   ruff, mypy, import layers
# Each sets up .venv first; a fresh machine needs Python 3.10 or newer and git, nothing else.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint clean

demo: .venv/demo
	cd examples/checkout && ../../$(BIN)/python -m pytest --reliability

test: .venv/test
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest $(ARGS)
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

lint: .venv/lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python hooks/generate.py --check

clean:
	rm -rf .venv

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed; name one: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'

.venv/demo: .venv/bin/python pyproject.toml examples/checkout/pyproject.toml
	$(BIN)/python -m pip install --quiet --editable . --editable 'examples/checkout[test]'
	@touch $@

.venv/test .venv/lint: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable . --group $(notdir $@)
	@touch $@
