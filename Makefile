# `make` shows the targets. Everything runs from .venv, which the first target that needs it makes from the locks.
PYTHON ?= python3
MINUTES ?= 2
SETUP := $(PYTHON) services/chassis/bootstrap.py
PY := .venv/bin/python
NPM := .venv/bin/npm --prefix services
PAGES := services/dispatch/static/.built
PAGE_SOURCES := $(shell find services/webkit services/intake/web services/dispatch/web services/vite.*.ts \
	schemas/labels -type f -not -path '*/node_modules/*' 2>/dev/null)
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help run dev test check long bench mutants chaos cluster web pictures schemas docs migrate lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

run: .venv/ready $(PAGES) ## set up everything and run it here; LAN=1 for phones too; Ctrl-C stops it
	@exec .venv/bin/grid up

dev: .venv/ready-dev services/node_modules/.ready ## run it with pages that reload as they are edited
	@exec .venv/bin/grid up --once-ready 'for page in intake/web dispatch/web/console dispatch/web/desk; \
	do npm --prefix services run dev -w $$page & done; wait'

test: .venv/ready-dev $(PAGES) ## the whole test suite
	@$(SETUP) browser
	@$(PY) tests/run.py

check: .venv/ready-dev services/node_modules/.ready ## format, lint, types, import rules, generated files fresh
	ruff format --check .
	ruff check .
	mypy
	lint-imports
	$(PY) -m schemas.publish --check
	$(PY) -m schemas.compat
	$(PY) docs/generate.py --check
	$(NPM) run check
	$(NPM) run lint
	$(NPM) test

long: .venv/ready-dev $(PAGES) ## what is too slow for test
	@$(PY) tests/run.py --long

bench: .venv/ready-dev $(PAGES) ## the benchmarks; NAME= runs one; writes bench/latest.json
	@$(PY) -m tests.bench $(NAME)

mutants: .venv/ready-dev ## whether the tests notice what could be wrong with the rules; FILES= judges some
	@$(PY) -m tests.mutants --survivors $(FILES)

chaos: .venv/ready-dev $(PAGES) ## faults with a checker; MINUTES= sets the length, SEED= does the same again
	@$(PY) -m tests.chaos --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

cluster: .venv/ready-dev $(PAGES) ## three Kafka brokers and a PostgreSQL over TCP: one broker dies, topics grow
	@$(PY) -m tests.cluster

web: $(PAGES) ## build the pages where their sources are newer

pictures: .venv/ready-dev $(PAGES) ## take the pictures of phone and desks in docs/images anew
	@$(SETUP) browser
	GRID_PICTURES=docs/images $(PY) -m pytest -q -n 0 -m long tests/e2e/browser/test_pictures.py \
	  tests/e2e/browser/test_shift.py tests/e2e/browser/test_push_pictures.py

schemas: .venv/ready-dev ## write the published schemas
	$(PY) -m schemas.publish

docs: .venv/ready-dev ## write the reference pages and the glossary from the code
	@$(PY) docs/generate.py

migrate: .venv/ready ## bring the database of GRID_HOME or DATABASE_URL up to date
	@.venv/bin/grid migrate

lock: .venv/ready-dev ## resolve requirements/*.in anew
	for group in tools run web dev; do uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-find-links --no-emit-index-url -q -o requirements/$$group.txt requirements/$$group.in; done

clean: ## remove what make has made here, not the data of GRID_HOME
	rm -rf .venv services/node_modules services/*/static .mypy_cache .ruff_cache .pytest_cache .hypothesis bench/*.json

.venv/ready: requirements/tools.txt requirements/run.txt requirements/web.txt services/chassis/bootstrap.py
	@$(SETUP) environment run web && touch $@

.venv/ready-dev: .venv/ready requirements/dev.txt
	@$(SETUP) environment run web dev && touch $@

services/node_modules/.ready: services/package-lock.json services/package.json | .venv/ready
	$(NPM) ci --no-progress && touch $@

$(PAGES): $(PAGE_SOURCES) services/node_modules/.ready
	$(NPM) run build && touch $@
