# make up     sets up .venv and runs the stack of services.yaml in the foreground (ARGS="-d" and the like are passed on)
# make test   sets up .venv and runs the tests of portsup (ARGS="-m 'not live'" for those without processes)
# make test-more   those of portsup that take long
# make test-services, test-programs, test-convert   those of the shipped services, with real programs, of converted files
# make test-portable   the live tests where the system has nothing that Linux alone has, as on macOS
# make test-exports   those of exported files, with schemas of Kubernetes (119 MB) and, as root, Podman (400 MB), which it gets
# make test-ray   stacks on a Ray cluster, which the target installs (285 MB)
# make cluster  a Ray cluster of three nodes on this machine, for examples/cluster; installs Ray (285 MB)
# make test-web   the page of `portsup web` in Chromium; make test-windows   portsup for Windows, under wine
# make test-long, test-faults, test-soak   what takes long: docs/how-to/run-the-tests.md
# make test-deps installs the Debian packages that tests drive (as root); without them, those tests are skipped
# make extras fetches what the first `make up` or `make test` could not: the language model and the speech packages
# make lint   ruff and mypy; make bench   the benchmarks; make test-lowest   the tests with the oldest dependencies
# Needs Python 3.11 or newer with pip. uv is used instead of pip when it is on the PATH.

ARGS =
# The tests of one file stay together, for what they share. ARGS="-n 0": one at a time.
PYTEST = -m pytest -n 2 --no-loadscope-reorder
BIN = .venv/bin
SETUP = pyproject.toml uv.lock .ci/setup.sh tests/npm/package-lock.json
# Extras without which everything runs, with less to it.
WELCOME = llm speech

# Tests that have targets of their own.
PROGRAMS = $(wildcard tests/live/*programs*.py)
SIDE_BY_SIDE = tests/convert/test_side_by_side.py
BROWSER = tests/browser
RAY = tests/ray
WINDOWS = tests/windows
REAL_ENGINES = tests/export/test_real_systemd.py tests/export/test_podman.py
APART = tests/examples $(BROWSER) $(RAY) $(WINDOWS) $(PROGRAMS) $(SIDE_BY_SIDE) $(REAL_ENGINES)

.PHONY: up test test-more test-portable test-services test-web test-ray test-windows test-programs test-convert test-exports
.PHONY: test-deps test-long test-faults test-soak
.PHONY: test-lowest test-package cluster
.PHONY: extras lint bench convert-tools clean

up: .venv/.stack
	@PATH="$(CURDIR)/$(BIN):$$PATH" exec $(BIN)/python .ci/foreground.py up $(ARGS)

test: .venv/.dev
	@PATH="$(CURDIR)/$(BIN):$$PATH" exec $(BIN)/python $(PYTEST) -n auto $(APART:%=--ignore=%) -m "not long" $(ARGS)

# Those that are marked `long`.
test-more: .venv/.dev
	@PATH="$(CURDIR)/$(BIN):$$PATH" exec $(BIN)/python $(PYTEST) -n auto $(APART:%=--ignore=%) -m long $(ARGS)

# The path of macOS, as far as Linux has it; what needs more is listed in tests/live/portable.py.
test-portable: .venv/.dev
	@PATH="$(CURDIR)/$(BIN):$$PATH" PORTSUP_SYSTEM=posix exec $(BIN)/python $(PYTEST) -n auto tests/live \
		$(APART:%=--ignore=%) --ignore-glob='*/test_random_*.py' $(ARGS)

# The services of services.yaml, with their clients, the sandbox, the page and the models.
test-services: .venv/.dev
	@PATH="$(CURDIR)/$(BIN):$$PATH" exec $(BIN)/python $(PYTEST) tests/examples $(ARGS)

# The page of `portsup web` in Chromium.
test-web: .venv/.dev
	@PATH="$(CURDIR)/$(BIN):$$PATH" exec $(BIN)/python $(PYTEST) $(BROWSER) $(ARGS)

# Stacks on a Ray cluster of three nodes on this machine; one test at a time, because that is slow enough.
RAY_FAILOVERS ?= 2
test-ray: .venv/.ray
	@PATH="$(CURDIR)/$(BIN):$$PATH" RAY_FAILOVERS=$(RAY_FAILOVERS) exec $(BIN)/python -m pytest -n 0 --timeout 600 \
		-o faulthandler_timeout=$$((1000 + 60 * $(RAY_FAILOVERS))) $(RAY) $(ARGS)

# Three nodes on this machine, until Ctrl-C: examples/cluster/README.md.
cluster: .venv/.ray
	@PATH="$(CURDIR)/$(BIN):$$PATH" exec $(BIN)/python -m examples.cluster.nodes $(ARGS)

# nginx, PostgreSQL, Java, Go and others, killed, restarted and stopped by portsup.
test-programs: .venv/.dev
	@PATH="$(CURDIR)/$(BIN):$$PATH" exec $(BIN)/python $(PYTEST) $(PROGRAMS) $(ARGS)

# Files of other supervisors, run by them and by portsup.
test-convert: convert-tools
	@PATH="$(CURDIR)/$(BIN):$$PATH" exec $(BIN)/python $(PYTEST) $(SIDE_BY_SIDE) $(ARGS)

# Files of other programs that portsup writes, checked and run by what `make test` does without.
test-exports: .venv/.dev
	@sh .ci/export-tools.sh
	@PATH="$(CURDIR)/$(BIN):$$PATH" PYTHONPATH="$(CURDIR)/build/export-tools/python" exec $(BIN)/python $(PYTEST) tests/export $(ARGS)

# portsup for Windows, under wine.
test-windows: .venv/.dev
	@sh .ci/windows.sh
	@PATH="$(CURDIR)/$(BIN):$$PATH" exec $(BIN)/python -m pytest -n 0 $(WINDOWS) $(ARGS)

test-deps:
	@.ci/test-deps.sh

# The wheel, built, checked, and installed by pipx and by uv; needs a package index.
test-package:
	@.ci/test-package.sh

# Every file that tries things at random, with budgets a hundred times as large.
LONG = $(shell grep -rlE --include='test_*.py' '^@given|support\.budget' tests)
test-long: .venv/.dev
	@PATH="$(CURDIR)/$(BIN):$$PATH" TEST_LONG=1 exec $(BIN)/python $(PYTEST) --timeout 1800 \
		-o faulthandler_timeout=2000 $(LONG) $(ARGS)

# System calls fail, one in each life of a small stack; FAULTS_SECONDS=180 tries as many as that time allows.
test-faults: .venv/.dev
	@PATH="$(CURDIR)/$(BIN):$$PATH" exec $(BIN)/python -m tests.faults.run $(FAULTS_SECONDS:%=--seconds %) $(ARGS)

# Random commands and deaths, for so many seconds.
SOAK_SECONDS = 3600
test-soak: .venv/.dev
	@PATH="$(CURDIR)/$(BIN):$$PATH" RANDOM_VERBS_SECONDS=$(SOAK_SECONDS) exec $(BIN)/python $(PYTEST) \
		-o faulthandler_timeout=$$(($(SOAK_SECONDS) + 600)) tests/live/test_random_verbs.py tests/live/test_random_ends.py $(ARGS)

extras: $(SETUP)
	@STRICT=1 sh .ci/setup.sh stack "$(WELCOME)"
	@touch .venv/.stack

lint: .venv/.dev
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/mypy --config-file .ci/mypy-macos.ini
	@$(BIN)/mypy --cache-dir .mypy_cache/win32 --platform win32 supervisor/system/windows*.py tests/windows/inside.py

bench: convert-tools
	@$(BIN)/python -m benchmarks.run $(ARGS)

convert-tools: .venv/.dev
	@sh .ci/convert-tools.sh

test-lowest: $(SETUP)
	@VENV=build/venv-lowest VERSIONS=lowest sh .ci/setup.sh stack,dev
	@PATH="$(CURDIR)/build/venv-lowest/bin:$$PATH" exec build/venv-lowest/bin/python $(PYTEST) $(ARGS)

.venv/.stack: $(SETUP)
	@sh .ci/setup.sh stack "$(WELCOME)"
	@touch $@

.venv/.dev: $(SETUP)
	@sh .ci/setup.sh stack,dev "$(WELCOME)"
	@touch .venv/.stack $@

.venv/.ray: .venv/.dev
	@sh .ci/setup.sh stack,dev,ray
	@touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build
