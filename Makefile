# The two commands: `make demo` and `make test`. Both install what they need first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STORE ?= local
# Many tests wait for something; more at once disturb those that cause faults at a moment.
TESTS_AT_ONCE ?= 2

.PHONY: setup demo test check clean

setup: $(VENV)/.installed

$(VENV)/.installed: requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m dedup2d.matching.machine_code
	@touch $@

demo: setup
	@$(BIN)/python deployments/demo/run.py --store $(STORE) $(if $(KEEP),--keep)

check: setup
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-cache >/dev/null || $(BIN)/lint-imports --no-cache

test: check
	@$(BIN)/python -m pytest -q -n $(TESTS_AT_ONCE) --dist loadgroup

clean:
	rm -rf $(VENV) demo-data data dist
