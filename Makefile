# Two commands for a newcomer: `make demo` and `make test`. Each installs what it needs.
AGENT ?= builtin
MODEL ?=
KEY_ENV ?=

.PHONY: demo test lint bench setup clean

demo:
	@scripts/setup.sh
	@.venv/bin/python scripts/demo.py --agent '$(AGENT)' --model '$(MODEL)' --key-env '$(KEY_ENV)'

test:
	@scripts/setup.sh --dev
	@$(MAKE) --no-print-directory lint
	@.venv/bin/python -m pytest -q -m 'not ecosystem'
	@.venv/bin/python -m pytest -q -m ecosystem

lint:
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo
	.venv/bin/python scripts/reference.py --check

bench:
	@scripts/setup.sh --dev
	@for name in start sandbox distill verifying overhead guards; do .venv/bin/python -m benchmarks.$$name || exit; done

setup:
	@scripts/setup.sh --dev

clean:
	rm -rf .venv .demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
