# Everything a person does here, by one word each. Needs git, make and Python 3.11 or later.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory --no-builtin-rules

VENV    := .venv
PYTHON_ := $(VENV)/bin/python
RUNTIME := $(VENV)/.runtime
DEV     := $(VENV)/.dev
FLIGHTS := examples/flights/flights.csv.zip
PHASE   := sh tools/phase.sh
CODE    := src runner tests tools benchmarks $(wildcard examples)

# One more than there are processors: a third of the time tests wait for processes and disks.
WORKERS ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) + 1 )))#  processes that run tests
SEEDS   ?= 200#  simulated worlds in `make sim`
KILLS   ?= 50#  kills in `make chaos`
CHAOS_SEED ?= 1#  which story of kills
DATABASE ?= sqlite#  where runs are kept in it: sqlite or postgresql
MUTANTS ?=#  which of them, by name
SEED    ?=#  one world: the number from a failure line
PYTEST  := $(PYTHON_) -m pytest

.PHONY: linters delivery image wheels help demo up test check sim chaos mutants bench docs lock clean
.PHONY: format lint types imports pylint tests quick-tests

help: ## Say what there is to do
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1\t/p' Makefile | \
	  while IFS="$$(printf '\t')" read -r name text; do printf '  make %-8s %s\n' "$$name" "$$text"; done

demo: $(RUNTIME) ## Run real jobs to their end, then say what happened and what it cost
	@$(MAKE) $(FLIGHTS) || echo "== no flights then: the demo takes data that are here"
	@$(VENV)/bin/runyard demo

up: $(RUNTIME) ## Start the server and the engine here; ctrl-c stops them
	@$(VENV)/bin/runyard up

test: $(DEV) $(FLIGHTS) ## Prove everything: style, types, rooms, simulated worlds, tests with coverage
	@$(MAKE) linters || echo "== no linters then: tests that need them are skipped"
	@$(MAKE) format lint types imports pylint sim tests
	@echo; echo "== all held"

check: $(DEV) ## The quick part of it, under a minute
	@$(MAKE) format lint types imports quick-tests
	@$(MAKE) sim SEEDS=50

sim: $(DEV) ## Simulated worlds with dying engines: SEEDS=200, or one of them: SEED=344
	@$(PHASE) "simulation" $(PYTHON_) -m tests.simulation --seeds $(SEEDS) $(if $(SEED),--seed $(SEED))

chaos: $(DEV) ## Kill server, spawner, PostgreSQL under load: KILLS=50, CHAOS_SEED=1, DATABASE=postgresql
	@$(PHASE) "chaos" $(PYTHON_) -m tests.chaos --kills $(KILLS) --seed $(CHAOS_SEED) --database $(DATABASE)

mutants: $(DEV) ## Change decisions bit by bit and show what no test notices: MUTANTS="runyard.gate.*"
	@$(PHASE) "mutants" sh tools/mutants.sh $(PYTHON_) $(MUTANTS)

bench: $(DEV) ## Measure, and print a table
	@$(PYTHON_) -m benchmarks

linters: .linters/.ready ## Install what checks workflows, scripts, Dockerfile and alert policies

delivery: $(DEV) linters ## Prove the files that deliver the runner
	@$(PHASE) "delivery files" $(PYTEST) -q -rs tests/delivery
	@$(MAKE) wheels

image: ## Build the runner's image here, on a base made here (root, buildah, debootstrap)
	@$(PHASE) "image" sh deploy/runner/build-here.sh

wheels: $(DEV)
	@$(PHASE) "wheels for Alpine" env PYTHON=$(PYTHON_) sh deploy/runner/wheels.sh

docs: $(DEV) ## Write the generated part of docs/ anew
	@$(PYTHON_) -m tools.docs

lock: $(DEV) ## Pin every dependency with its hashes; UPGRADE=1 takes newer releases
	@sh tools/lock.sh $(if $(UPGRADE),--upgrade)

clean: ## Remove what make made here (never a state folder)
	rm -rf $(VENV) .linters $(FLIGHTS) build dist runner/build runner/dist .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.* src/*.egg-info runner/src/*.egg-info
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

format:
	@$(PHASE) "format" $(PYTHON_) -m ruff format --check --quiet $(CODE)

lint:
	@$(PHASE) "lint" $(PYTHON_) -m ruff check --quiet $(CODE)

types:
	@$(PHASE) "types" $(PYTHON_) -m mypy --no-error-summary

imports:
	@$(PHASE) "imports" $(VENV)/bin/lint-imports --no-logo

pylint:
	@$(PHASE) "pylint of the runner" $(PYTHON_) -m pylint --rcfile runner/pyproject.toml --score=no runner/src/runyard_runner

tests:
	@rm -f .coverage .coverage.*
	@$(PHASE) "tests" $(PYTEST) -n $(WORKERS) --cov --cov-report=
	@$(PHASE) "coverage floors" $(PYTHON_) -m tools.floors

quick-tests:
	@$(PHASE) "unit and architecture tests" $(PYTEST) tests/unit tests/architecture

.linters/.ready: deploy/linters.lock deploy/linters.sh
	@sh deploy/linters.sh .linters deploy/linters.lock && touch $@

$(RUNTIME): requirements.lock runner/requirements.lock pyproject.toml runner/pyproject.toml tools/venv.sh
	@sh tools/venv.sh $(VENV) requirements.lock && touch $@

$(DEV): requirements-dev.lock runner/requirements.lock pyproject.toml runner/pyproject.toml tools/venv.sh
	@sh tools/venv.sh $(VENV) requirements-dev.lock && touch $@ $(RUNTIME)

$(FLIGHTS): examples/flights/requirements.lock examples/flights/fetch.sh | $(RUNTIME)
	@sh examples/flights/fetch.sh $(PYTHON_)
