# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# A test has its time limit in Python; where a compiled loop hangs, the process ends after this one (s).
BOUNDED := --durations=20 -o faulthandler_timeout=700 -o faulthandler_exit_on_timeout=true

.PHONY: demo test slow benchmarks clean

demo: $(VENV)/ready
	@echo "The first start compiles the simulation: about half a minute."
	$(BIN)/rramlab demo

test: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 2 -m "not slow" $(BOUNDED)

# Kills, long statistics: a few minutes.
slow: $(VENV)/ready
	$(BIN)/pytest -n 2 -m slow $(BOUNDED)

benchmarks: $(VENV)/ready
	for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

# With the optional parts: their tests are left out where they are not installed.
$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("rramlab needs Python 3.11 or newer; name one with make PYTHON=...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev,letters,sweep]"
	touch $@

clean:
	rm -rf $(VENV) build dist
