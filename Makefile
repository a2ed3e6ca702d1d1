# `make run` answers on a sample day (or on your own log: make run LOG=/var/log/mail.log);
# `make test` proves everything.  Both do their own set-up, inside this directory, once.

# Empty: the first Python that will do (tools/venv.sh).  Or name one: make run PYTHON=python3.12
PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet
SAMPLE := var/sample/mail.log

# Handed over in the environment, so that a file name with spaces or quotes stays one file name.
export LOG

.DEFAULT_GOAL := help
.PHONY: help run test check unit fuzz bench docs pins clean

help: ## what can be made
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 16

# `check` answers with its exit code: 0 no spam, 1 maybe, 2 yes.  Each of the three is an answer,
# so make ends well; only "could not tell" (3) and other mishaps are failures of this command.
run: $(VENV)/ready-to-run ## the verdict on a sample day, or on LOG=FILE (a file or a directory of logs)
	@if [ -z "$$LOG" ]; then \
	    mkdir -p $(dir $(SAMPLE)); \
	    [ -s $(SAMPLE) ] || $(BIN)/outwarden demo --out $(SAMPLE); \
	fi; \
	$(BIN)/outwarden check "$${LOG:-$(SAMPLE)}"; code=$$?; \
	echo; echo "Exit code of \`outwarden check\`: $$code (0 no, 1 maybe, 2 yes, 3 could not tell)"; \
	[ $$code -le 2 ]

test: $(VENV)/ready-to-test ## lint, types, layers, every test, the docs: what CI runs
	@sh tools/debian-packages.sh tests/debian-packages.txt
	@$(BIN)/python tools/steps.py test

check: $(VENV)/ready-to-test ## lint, types and layers alone: seconds
	@$(BIN)/python tools/steps.py check

unit: $(VENV)/ready-to-test ## the quick tests, under a minute
	@$(BIN)/python tools/steps.py unit

fuzz: $(VENV)/ready-to-test ## hostile input for every reader, for some minutes
	@$(BIN)/python tools/steps.py fuzz

bench: $(VENV)/ready-to-test ## every figure that the docs state
	@$(BIN)/python tools/steps.py bench

docs: $(VENV)/ready-to-test ## the handbook, into docs/_build/html
	@$(BIN)/python tools/steps.py docs

$(VENV)/ready-to-run: requirements/build.txt requirements/run.txt pyproject.toml tools/venv.sh
	@sh tools/venv.sh "$(PYTHON)" $(VENV)
	@echo "Installing what Outwarden needs into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements/build.txt -r requirements/run.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/ready-to-test: $(VENV)/ready-to-run requirements/test.txt
	@echo "Installing what its tests need into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements/test.txt
	@touch $@

pins: ## renew the pinned versions and hashes in requirements/
	@sh tools/venv.sh "$(PYTHON)" $(VENV)-pins
	@$(VENV)-pins/bin/pip install --quiet pip-tools
	@sh tools/pins.sh $(VENV)-pins/bin/pip-compile

clean: ## all that was made, the environment with it
	@rm -rf $(VENV) $(VENV)-pins var build dist docs/_build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
