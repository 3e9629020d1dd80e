# Slipway. `make run` and `make test` do everything on a fresh Debian 12; a second call does nothing that is done already.
SHELL := /bin/bash
.DELETE_ON_ERROR:
BUILD := build/release
JOBS ?= $(shell nproc)

.PHONY: help run test build setup unit e2e e2e-postgres clients page-test differential record-mlflow bench lint lint-all check story-check oracle asan tsan fuzz clean

help:            ## what can be made
	@grep -hE '^[a-z0-9-]+: .*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | awk -F'\t' '{printf "  make %-13s %s\n", $$1, $$2}'

setup:           ## install what is missing: Debian packages, parts with digests, Python and page packages
	@scripts/setup build page python browser database

build:           ## the program, at build/release/slipway
	@scripts/setup build page
	@[ -f $(BUILD)/build.ninja ] || cmake --preset release >$(BUILD).configure.log 2>&1 || { tail -n 20 $(BUILD).configure.log; exit 1; }
	@ninja -C $(BUILD) -j$(JOBS) --quiet

run: build       ## the main job: a year of flights through the whole loop, then the story
	@scripts/setup python
	@examples/flights/run.sh

story-check:     ## the last run's story against the one that numpy and scikit-learn tell
	@python3 tests/oracle/compare_story.py

oracle:          ## tell that story anew (a minute) and compare with the last run's
	@scripts/setup python
	@PYTHONPYCACHEPREFIX=$(CURDIR)/build/pycache build/venv/bin/python tests/oracle/flights_story.py --out tests/oracle/flights_story.json
	@$(MAKE) --no-print-directory story-check

test: build      ## every test: checks, unit tests, end-to-end tests with the real clients, the page in a browser
	@scripts/setup python browser database
	@$(MAKE) --no-print-directory check unit e2e e2e-postgres page-test

check:           ## layers and hygiene
	@scripts/check-layers
	@scripts/check-tree

unit:            ## the C++ tests
	@ctest --test-dir $(BUILD) --output-on-failure -j$(JOBS)

e2e: build       ## the real mlflow and dvc against the program
	@scripts/setup python
	@SLIPWAY_BIN=$(CURDIR)/$(BUILD)/slipway PYTHONPYCACHEPREFIX=$(CURDIR)/build/pycache build/venv/bin/python -m pytest -q -p no:cacheprovider --ignore tests/e2e/clients tests/e2e

clients: build   ## one session with mlflow clients from 2.0.1 to the newest, XGBoost and LightGBM beside the last
	@scripts/setup python clients
	@SLIPWAY_BIN=$(CURDIR)/$(BUILD)/slipway PYTHONPYCACHEPREFIX=$(CURDIR)/build/pycache build/venv/bin/python -m pytest -q -p no:cacheprovider tests/e2e/clients

e2e-postgres: build ## what writes and reads the store, end to end, on a private PostgreSQL
	@scripts/setup python database
	@SLIPWAY_BIN=$(CURDIR)/$(BUILD)/slipway PYTHONPYCACHEPREFIX=$(CURDIR)/build/pycache tests/engines/postgres run build/venv/bin/python -m pytest -q -p no:cacheprovider \
	  $(addprefix tests/e2e/test_,mlflow_tracking.py mlflow_registry.py differential.py repro_runs.py) \
	  tests/e2e/test_faults.py::test_fifty_kills_lose_nothing_that_was_acknowledged

differential: build ## the corpus of requests against Slipway, and that the stock server still answers as recorded (minutes)
	@scripts/setup python
	@SLIPWAY_BIN=$(CURDIR)/$(BUILD)/slipway PYTHONPYCACHEPREFIX=$(CURDIR)/build/pycache build/venv/bin/python -m pytest -q -p no:cacheprovider tests/e2e/test_differential.py
	@PYTHONPYCACHEPREFIX=$(CURDIR)/build/pycache build/venv/bin/python tests/differential/stock.py check

record-mlflow:   ## write tests/differential/recorded anew from a stock server of the locked version
	@scripts/setup python
	@PYTHONPYCACHEPREFIX=$(CURDIR)/build/pycache build/venv/bin/python tests/differential/stock.py record

page-test: build ## the page in Chromium
	@scripts/setup page browser
	@scripts/page-test

bench: build     ## figures against mlflow, dvc and mlflow models serve of the locked versions
	@scripts/setup python
	@bench/run --build

lint:            ## clang-format and clang-tidy on what changed
	@scripts/lint changed

lint-all:        ## the same on everything
	@scripts/lint all


asan tsan:       ## the C++ tests under sanitizers (make asan, make tsan)
	@scripts/setup build
	@[ -f build/$@/build.ninja ] || cmake --preset $@ -DSLIPWAY_UI=OFF >build/$@.configure.log 2>&1 || { tail -n 20 build/$@.configure.log; exit 1; }
	@ninja -C build/$@ -j$(JOBS) --quiet
	@ctest --test-dir build/$@ --output-on-failure -j$(JOBS)

fuzz:            ## every parser against generated input, FUZZ_SECONDS=30 each
	@scripts/setup build
	@scripts/fuzz

clean:           ## forget the build, keep what was downloaded
	@rm -rf build/release build/asan build/tsan build/fuzz build/web
