# Every target is one line of work; .venv is made from the lock files on first use.
# Settings: CITY=reference SCENARIO=base RAW=folder-of-raw-files CHANGE=name PYTHON=python3.12

# A value may hold quotes, dollars or line breaks. So it is neither expanded nor put into a recipe, but
# handed over in the environment; make would itself expand what it exports under the name typed in.
export SHANCHENG_CITY := $(value CITY)
export SHANCHENG_SCENARIO := $(value SCENARIO)
export SHANCHENG_RAW := $(value RAW)
export SHANCHENG_CHANGE := $(value CHANGE)
export SHANCHENG_BUDGET := $(value BUDGET)
export SHANCHENG_CASE := $(value CASE)
export SHANCHENG_A := $(value A)
export SHANCHENG_B := $(value B)
export SHANCHENG_NAME := $(value NAME)
export SHANCHENG_FILE := $(value FILE)
export SHANCHENG_YEAR := $(value YEAR)
export SHANCHENG_GROUP := $(value GROUP)
export SHANCHENG_DEALS := $(value DEALS)
export SHANCHENG_PLACE := $(value PLACE)
export SHANCHENG_BBOX := $(value BBOX)
export SHANCHENG_DATUM := $(value DATUM)
export SHANCHENG_PYTHON := $(value PYTHON)
unexport $(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(name)))

override PY := .venv/bin/python
# Python answers an interrupt in its first 20 ms with a traceback; GNU env lets it wait until we can answer
override HOLD := $(shell env --block-signal=INT true 2>/dev/null && echo env --block-signal=INT)
override RUN := exec $(HOLD) $(PY) -m pipeline

.PHONY: help rank city fetch new-city why what-if sites plan office-lists cash-flow keep compare years-eval test check lint bench soak documents lock clean ready ready-dev
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile
	@echo "  with CITY=name SCENARIO=name RAW=folder CHANGE=name"

rank: ready ## rank every building, write lists and maps
	@$(RUN) rank

city: ready ## make the built-in synthetic city anew
	@$(RUN) city

fetch: ready ## get open data for CITY=name [PLACE='渝中区, 重庆' or BBOX=west,south,east,north]
	@$(RUN) fetch

new-city: ready ## write a commented profile for NAME=name RAW=folder [DATUM=wgs84]
	@$(RUN) new-city

why: ready ## say why each stage would run now
	@$(RUN) why

what-if: ready ## say who gains if CHANGE=name, a file of config/changes, were done
	@$(RUN) what-if

sites: ready ## say where the next public lifts and facilities would relieve most [BUDGET=yuan]
	@$(RUN) sites

plan: ready ## show the annual plan, or plan anew with BUDGET=yuan (all years, or a,b,c,…)
	@$(RUN) plan

office-lists: ready ## write the ranked lists of CITY as a workbook in Chinese, numbers of buildings as text
	@$(RUN) office-lists

cash-flow: ready ## print the cash flow of CASE=name, a file of config/cash_flows
	@$(RUN) cash-flow

keep: ready ## set the ranking of SCENARIO aside under NAME=name
	@$(RUN) keep

compare: ready ## say who moved between A=scenario and B=scenario (or kept runs), and why
	@$(RUN) compare

years-eval: ready ## judge year inference on FILE=footprints YEAR=column [GROUP=column] [DEALS=4]
	@$(RUN) years-eval

test: ready-dev ## run all tests
	@exec $(PY) -m pytest -n auto --dist loadfile

check: ready ## look the raw files of CITY over: faults, gaps, wrong datum; changes nothing
	@$(RUN) check

lint: ready-dev ## lint, format, types, walls between the rooms
	@$(PY) -m ruff check . && $(PY) -m ruff format --check . && $(PY) -m mypy && .venv/bin/lint-imports --no-cache

bench: ready-dev ## time the run by stage, and our parts beside other libraries
	@exec $(PY) -m tests.bench

documents: ready ## write data/README.md and config/schema.json anew
	@$(RUN) documents

lock: ready-dev ## choose newest package versions and write the lock files
	@.venv/bin/uv pip compile $(LOCKING) pyproject.toml -o requirements.lock
	@.venv/bin/uv pip compile $(LOCKING) pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock

soak: ready-dev ## kill runs and spoil inputs at random, for hours
	@exec $(PY) -m tests.soak

clean: ## remove everything that can be made again
	@if [ -x $(PY) ]; then $(RUN) clean; fi; \
	rm -rf data/processed/[!.]* maps/[!.]* .mypy_cache .ruff_cache .pytest_cache .hypothesis

override LOCKING := --quiet --universal --upgrade --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

ready:
	@exec sh .setup requirements.lock

ready-dev:
	@exec sh .setup requirements.lock requirements-dev.lock
