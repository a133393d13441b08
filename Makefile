# make run    the demo community on http://127.0.0.1:8000 (PORT=, HOST=, DATA= change where)
# make test   everything the tests need, then all of them
# make check  the quick loop: linters, types, import contract, migrations, fast tests
# make lint   the linters alone; make browser-test: the tests in Chromium
# make bench  figures, not tests: how long pages take; make bench-search: how well "already asked?" finds;
#              make bench-moderation: how often the spam filter is right;
#              make bench-reviews: how often the hints on reviews are right;
#              make bench-many-reviews: lists, changes and the feed with a million, on DATABASE_URL's PostgreSQL;
#              make bench-insights: figures and audit of a large community;
#              make bench-badges: the same with a million events and people;
#              make bench-routing: how often the suggested department is right;
#              make bench-sentiment: what the figure for angry posts finds;
#              make bench-clocks: a sweep over a million cases, a thousand due, on DATABASE_URL's PostgreSQL;
#              make bench-desk: the desk's screens beside a million threads, on DATABASE_URL's PostgreSQL
# make prove  10,000 acts by eight writers at once: the ledger rebuilt from the log must equal live
# make lock   the lock files anew from requirements*.txt (LOCK_ARGS=--upgrade: newest beneath)
# make clean  away with caches and the environment; DATA stays

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	if $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$p; exit; fi; done; echo python3)
HOST ?= 127.0.0.1
PORT ?= 8000
DATA ?= data
PY := .venv/bin/python
# As many processes as the machine has cores, two at least and eight at most.
JOBS ?= $(shell cores=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); [ "$$cores" -gt 8 ] && cores=8; [ "$$cores" -gt 2 ] && echo "$$cores" || echo 2)
PYTEST_ARGS ?=
# A file of tests stays with one process; tests/primed.py puts those that take long first.
SHARED_OUT := -n $(JOBS) --dist loadfile --no-loadscope-reorder

# What the shell that calls us has set must not change what a run is.
unexport DJANGO_SETTINGS_MODULE PYTHONPATH PYTHONHOME

.PHONY: run test check lint fast-tests browser-test bench bench-search bench-moderation bench-reviews bench-many-reviews bench-badges bench-insights bench-routing bench-sentiment bench-clocks bench-desk prove lock clean \
	env env-dev

run: env
	@HOST="$(HOST)" PORT="$(PORT)" DATA="$(DATA)" exec $(PY) manage.py serve --prepare --demo

test: env-dev
	@exec $(PY) -m pytest $(SHARED_OUT) -m "not browser" $(PYTEST_ARGS)

browser-test: env-dev
	@exec $(PY) -m pytest -m browser $(PYTEST_ARGS)

check: lint fast-tests

lint: env-dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	.venv/bin/lint-imports
	$(PY) -m mypy
	.venv/bin/djlint templates --lint --quiet
	$(PY) manage.py makemigrations --check --dry-run

fast-tests: env-dev
	@exec $(PY) -m pytest $(SHARED_OUT) -m "not browser and not slow" $(PYTEST_ARGS)

bench: env
	@exec $(PY) -m bench.speed

bench-search: env
	@exec $(PY) -m bench.search

bench-moderation: env
	@exec $(PY) -m bench.moderation

bench-reviews: env
	@exec $(PY) -m bench.reviews

prove: env
	@exec $(PY) -m bench.ledger

bench-many-reviews: env
	@exec $(PY) -m bench.many_reviews

bench-clocks: env
	@exec $(PY) -m bench.clocks

bench-desk: env
	@exec $(PY) -m bench.desk

bench-sentiment: env
	@exec $(PY) -m bench.sentiment

bench-insights: env
	@exec $(PY) -m bench.insights

bench-badges: env
	@exec $(PY) -m bench.badges

bench-routing: env
	@exec $(PY) -m bench.routing

lock:
	@$(PYTHON) scripts/lock.py $(LOCK_ARGS)

env:
	@$(PYTHON) scripts/environment.py requirements.lock

env-dev:
	@$(PYTHON) scripts/environment.py requirements-dev.lock

clean:
	rm -rf .venv .cache staticfiles .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
