# make up     sets up .venv and runs the stack of services.yaml in the foreground (ARGS="-d" and the like are passed on)
# make test   sets up .venv and runs the whole test suite (ARGS="-m 'not live'" for the tests without processes)
# make extras fetches what the first `make up` or `make test` could not: the language model and the speech packages
# make lint   ruff and mypy; make bench   the benchmarks; make test-lowest   the tests with the oldest dependencies
# Needs Python 3.11 or newer with pip. uv is used instead of pip when it is on the PATH.

ARGS =
# Tests mostly wait, so two run at a time; those of one file stay together, for what they share. ARGS="-n 0": no others.
PYTEST = -m pytest -n 2 --dist loadfile --no-loadscope-reorder
BIN = .venv/bin
SETUP = pyproject.toml uv.lock .ci/setup.sh tests/npm/package-lock.json
# Extras without which everything runs, with less to it.
WELCOME = llm speech

.PHONY: up test extras lint bench test-lowest clean

up: .venv/.stack
	@PATH="$(CURDIR)/$(BIN):$$PATH" exec $(BIN)/python .ci/foreground.py up $(ARGS)

test: .venv/.dev
	@PATH="$(CURDIR)/$(BIN):$$PATH" exec $(BIN)/python $(PYTEST) $(ARGS)

extras: $(SETUP)
	@STRICT=1 sh .ci/setup.sh stack "$(WELCOME)"
	@touch .venv/.stack

lint: .venv/.dev
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/mypy --cache-dir .mypy_cache/darwin --platform darwin supervisor/system/__init__.py
	@$(BIN)/mypy --cache-dir .mypy_cache/win32 --platform win32 supervisor/system/__init__.py

bench: .venv/.stack
	@$(BIN)/python -m benchmarks.run $(ARGS)

test-lowest: $(SETUP)
	@VENV=build/venv-lowest VERSIONS=lowest sh .ci/setup.sh stack,dev
	@PATH="$(CURDIR)/build/venv-lowest/bin:$$PATH" exec build/venv-lowest/bin/python $(PYTEST) $(ARGS)

.venv/.stack: $(SETUP)
	@sh .ci/setup.sh stack "$(WELCOME)"
	@touch $@

.venv/.dev: $(SETUP)
	@sh .ci/setup.sh stack,dev "$(WELCOME)"
	@touch .venv/.stack $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build
