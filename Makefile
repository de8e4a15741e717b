# Every command that a day of work needs. `make` alone explains them.
# Needed beforehand on Debian: apt-get install make git python3-venv

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
KIND ?= added

.DEFAULT_GOAL := help
.PHONY: help setup demo down lab lab-down test unit check fmt bench sim properties shapes lock change matrix diagrams

help:
	@echo "Moorage: Amazon ECR and Amazon ECS on machines you own."
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(READY): requirements/dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Moorage needs Python 3.11 or newer: make setup PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "No venv in this Python. On Debian: apt-get install python3-venv" >&2; exit 1; }
	@echo "Making .venv from the pinned packages of requirements/dev.lock"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements/dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
		--no-build-isolation -e .
	@touch $@

setup: $(READY) ## make .venv with the pinned packages and the command moorage
	@echo "Ready: $(BIN)/moorage"

demo: $(READY) ## from nothing to a service of three replicas that heals itself
	@$(BIN)/python tools/demo.py

down: $(READY) ## stop what demo started, and remove its service and containers
	@$(BIN)/python tools/demo.py --down

lab: $(READY) ## three real hosts to play with: cut them, kill them, fill their disks (root)
	@$(BIN)/python tools/prepare.py
	@$(BIN)/python -m tests.lab up

lab-down: $(READY)
	@$(BIN)/python -m tests.lab down

test: $(READY) ## all that must pass; installs docker.io and postgresql where missing (root)
	@$(BIN)/python tools/prepare.py
	@$(BIN)/python tools/lanes.py

unit: $(READY) ## tables and laws, without engine, PostgreSQL and real clients; under a minute
	$(BIN)/python -m pytest -q -m "not engine and not postgres and not clients and not lab" --ignore=tests/tidy --ignore=tests/sim

check: $(READY) ## lint, format, types, imports, generated files, house rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tools
	$(BIN)/lint-imports
	$(BIN)/python tools/shapes.py --check
	$(BIN)/python tools/coverage.py --check
	$(BIN)/python tools/diagrams.py --check
	$(BIN)/python tools/reference.py --check
	$(BIN)/python -m pytest -q tests/tidy

fmt: $(READY) ## format all code, and mend what can be mended
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: $(READY) ## the figures of docs/, beside their peers, on engines of their own (root)
	$(BIN)/python benches/run.py

sim: $(READY) ## simulate: make sim SEED=42, or SEEDS=1000 fresh ones
	$(BIN)/moorage sim $(if $(SEED),--seed $(SEED)) --seeds $(or $(SEEDS),$(if $(SEED),1,1000)) \
		--scenario $(or $(SCENARIO),chaos)

properties: $(READY) ## 100,000 cases each of place and reconcile: make properties CASES=1000, or OF=place SEED=42
	@$(BIN)/python -m tests.ecs.properties $(if $(OF),--of $(OF)) $(if $(SEED),--seed $(SEED)) \
		--cases $(or $(CASES),100000)

shapes: $(READY) ## generate src/moorage/shapes anew from botocore's models
	$(BIN)/python tools/shapes.py
	@git --no-pager diff --stat -- src/moorage/shapes

matrix: $(READY) ## write the pages of docs/reference from tables, commands and settings
	$(BIN)/python tools/coverage.py
	$(BIN)/python tools/reference.py

diagrams: $(READY) ## draw the figures of docs/ from the tables of transitions
	$(BIN)/python tools/diagrams.py

change: $(READY) ## begin a fragment in changes/: make change NAME=short-name KIND=fixed
	@test -n "$(NAME)" || { echo "make change NAME=short-name KIND=added" >&2; exit 1; }
	$(BIN)/towncrier create --no-edit "+$(NAME).$(KIND).md"

lock: ## pin the newest packages that requirements/*.in allow (needs uv)
	@for name in moorage dev; do \
		uv pip compile --quiet --python-version 3.11 --generate-hashes --no-header --no-annotate \
			--no-emit-index-url --no-emit-find-links requirements/$$name.in \
			-o requirements/$$name.lock || exit 1; \
	done
