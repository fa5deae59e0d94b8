# Two commands: `make chat` and `make test`. Each sets up .venv from requirements.lock first, with uv if it is there.
#   make chat ARGS='--ask "how much notice before annual leave?" --json'

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)

.PHONY: chat test venv lock clean

chat: .venv/.ready
	@.venv/bin/bartizan chat $(ARGS)

# Two workers, a file at a time: some files tell one story, test by test. ARGS='-n 0' for one worker, or a debugger.
test: .venv/.ready
	@.venv/bin/pytest -n 2 --dist loadfile --inline-snapshot=disable $(ARGS)

venv: .venv/.ready

# Everything that setting up prints goes to stderr, so that `make chat` can be piped.
.venv/.ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Bartizan needs Python 3.11, 3.12 or 3.13." >&2; exit 1; }
	@echo "Setting up .venv (once) ..." >&2
	@if command -v uv >/dev/null; then \
		uv venv --quiet --allow-existing --python "$(PYTHON)" .venv && \
		uv pip sync --quiet --python .venv --require-hashes --compile-bytecode requirements.lock && \
		uv pip install --quiet --python .venv --no-deps --no-build-isolation --editable . ; \
	else \
		$(PYTHON) -m venv .venv && \
		.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock && \
		.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . ; \
	fi >&2
	@touch .venv/.ready

# Writes the lock anew: universal, hashed, and without an index's address, so that it holds behind a mirror.
lock: .venv/.ready
	.venv/bin/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --quiet --output-file requirements.lock

clean:
	rm -rf .venv .bartizan .mypy_cache .ruff_cache .pytest_cache .hypothesis
