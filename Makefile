# Every target is one line of work; .venv is made from the lock files on first use.
# Settings: CITY=reference SCENARIO=base RAW=folder-of-raw-files CHANGE=name PYTHON=python3.12

CITY ?= reference
SCENARIO ?= base
RAW ?=
CHANGE ?=
BUDGET ?=
CASE ?= jiulongpo
A ?=
B ?=
NAME ?=
FILE ?=
YEAR ?=
GROUP ?=
PLACE ?=
BBOX ?=
DATUM ?=
PYTHON ?=

PY := .venv/bin/python
CHOICE := --city '$(CITY)' --scenario '$(SCENARIO)' $(if $(RAW),--raw '$(RAW)')

.PHONY: help rank city fetch new-city why what-if plan cash-flow keep compare years-eval test check lint bench documents lock clean ready ready-dev
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile
	@echo "  with CITY=name SCENARIO=name RAW=folder CHANGE=name"

rank: ready ## rank every building, write lists and maps
	@$(PY) -m pipeline rank $(CHOICE)

city: ready ## make the built-in synthetic city anew
	@$(PY) -m pipeline city

fetch: ready ## get open data for CITY=name [PLACE='渝中区, 重庆' or BBOX=west,south,east,north]
	@$(PY) -m pipeline fetch --city '$(CITY)' --place '$(PLACE)' --bbox '$(BBOX)' $(if $(RAW),--raw '$(RAW)')

new-city: ready ## write a commented profile for NAME=name RAW=folder [DATUM=wgs84]
	@$(PY) -m pipeline new-city --name '$(NAME)' --raw '$(RAW)' --datum '$(DATUM)'

why: ready ## say why each stage would run now
	@$(PY) -m pipeline why $(CHOICE)

what-if: ready ## say who gains if CHANGE=name, a file of config/changes, were done
	@$(PY) -m pipeline what-if $(CHOICE) --change '$(CHANGE)'

plan: ready ## show the annual plan, or plan anew with BUDGET=yuan (all years, or a,b,c,…)
	@$(PY) -m pipeline plan $(CHOICE) $(if $(BUDGET),--budget '$(BUDGET)')

cash-flow: ready ## print the cash flow of CASE=name, a file of config/cash_flows
	@$(PY) -m pipeline cash-flow --case '$(CASE)'

keep: ready ## set the ranking of SCENARIO aside under NAME=name
	@$(PY) -m pipeline keep --city '$(CITY)' --scenario '$(SCENARIO)' --name '$(NAME)'

compare: ready ## say who moved between A=scenario and B=scenario (or kept runs), and why
	@$(PY) -m pipeline compare --city '$(CITY)' --a '$(A)' --b '$(B)'

years-eval: ready ## judge year inference on FILE=footprints YEAR=column [GROUP=column]
	@$(PY) -m pipeline years-eval --file '$(FILE)' --year '$(YEAR)' $(if $(GROUP),--group '$(GROUP)')

test: ready-dev ## run all tests
	@$(PY) -m pytest -n auto --dist loadfile

check: ready ## look the raw files of CITY over: faults, gaps, wrong datum; changes nothing
	@$(PY) -m pipeline check $(CHOICE)

lint: ready-dev ## lint, format, types, walls between the rooms
	@$(PY) -m ruff check . && $(PY) -m ruff format --check . && $(PY) -m mypy && .venv/bin/lint-imports --no-cache

bench: ready-dev ## time the run by stage, and our parts beside other libraries
	@$(PY) -m tests.bench

documents: ready ## write data/README.md and config/schema.json anew
	@$(PY) -m pipeline documents

lock: ready-dev ## choose newest package versions and write the lock files
	@.venv/bin/uv pip compile $(LOCKING) pyproject.toml -o requirements.lock
	@.venv/bin/uv pip compile $(LOCKING) pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock

clean: ## remove everything that can be made again
	@rm -rf data/processed/[!.]* maps/[!.]* .mypy_cache .ruff_cache .pytest_cache .hypothesis

LOCKING := --quiet --universal --upgrade --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

ready:
	@PYTHON='$(PYTHON)' sh .setup requirements.lock

ready-dev:
	@PYTHON='$(PYTHON)' sh .setup requirements.lock requirements-dev.lock
