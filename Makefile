# make run: the app.  make test: every test.  make check: style and types.  make bench: the benchmark table.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test check bench

run: .venv/app
	$(BIN)/python app.py

test: .venv/tests
	$(BIN)/python -m pytest

check: .venv/tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/tests
	$(BIN)/python -m tests.benchmarks

.venv/app: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make run PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "This Python cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m compileall -q -j 0 .venv/lib rlhf_app > /dev/null || true
	@touch $@

.venv/tests: .venv/app tests/requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@sh tests/install_chromium.sh $(BIN)/python
	@touch $@
