# fabcommons: each target sets up what it needs. `make demo` and `make test` work from a fresh clone.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
UV := scripts/uv
RUN := $(UV) run --frozen --no-sync
# tests mostly wait for real processes: more at once than there are processors
WORKERS := $(shell echo $$((2 * $$(nproc) + 1)))

.PHONY: help setup servers page demo show reprap test test-octoprint
.PHONY: test-postgresql test-brokers check docs fuzz fuzz-parsers audit sbom screenshots designs
.PHONY: bench bench-% chaos chaos-floor memory-gate clean

help:            ## list the targets
	@grep -hE '^[a-z%-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

.venv/.done: pyproject.toml uv.lock scripts/uv
	$(UV) sync --frozen --all-groups
	@touch $@

dashboards/static/index.html: $(shell find dashboards/web -type f -not -path '*/node_modules/*' 2>/dev/null)
	scripts/page

.cache/.kernels: .venv/.done $(wildcard controller/scheduling/kernels/*.py)
	$(RUN) python -m controller.scheduling.warm
	@mkdir -p .cache && touch $@

setup: .venv/.done dashboards/static/index.html .cache/.kernels  ## Python packages, the page, the scheduler's machine code, the cell's NodeSets
	@$(RUN) python -m simulators cell --warm || echo "the simulated cell will start slowly: .cache cannot be written"

servers:         ## real servers for tests, from the distribution's packages (needs root or sudo)
	scripts/servers

demo: setup      ## a floor at work: 60 needs over 4 printers, 2 mills and a robotic cell
	$(RUN) fabcommons demo --until-done $(DEMO)

test: setup servers  ## the whole suite
	$(RUN) pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(TEST)

test-octoprint: setup  ## 100,000 lines through OctoPrint's virtual printer; our adapter on its server
	OCTOPRINT_LINES=100000 $(RUN) pytest -s tests/interop/test_octoprint.py
	$(RUN) pytest tests/interop/test_hosts_octoprint.py

test-postgresql: setup servers  ## the tests that use a store, on PostgreSQL
	FABCOMMONS_TEST_STORE=postgresql $(RUN) pytest $(TEST)

test-brokers: setup  ## orders, crashes, duplicates over RabbitMQ and NATS (apt-get install rabbitmq-server nats-server)
	for broker in rabbitmq nats; do \
	  FABCOMMONS_TEST_BROKER=$$broker $(RUN) pytest -rs tests/system/test_controller_mqtt.py; done

check: setup     ## format, lint, types, direction of imports, documentation
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) pyright
	scripts/board-types
	$(RUN) lint-imports
	$(RUN) python scripts/docs.py --check
	$(RUN) python scripts/grafana.py --check

docs: setup      ## write the generated parts of docs/ and the Grafana dashboards
	$(RUN) python scripts/docs.py
	$(RUN) python scripts/grafana.py

screenshots: setup  ## every picture of the page in docs/images again, from a small floor (needs chromium)
	$(RUN) python tests/support/dash_serve.py node dashboards/web/screenshots.mjs URL docs/images

designs: setup   ## make the shipped designs again (needs prusa-slicer)
	$(UV) run --frozen --group design python designs/author/make.py

show: setup      ## 200 needs of 3 designs over 10 machines with failures and a tight rack; minutes
	$(RUN) python tests/support/show.py --needs 200 $(SHOW)

reprap: setup    ## a RepRap of real parts, sliced here, made by the simulated floor; minutes
	$(RUN) python tests/support/reprap.py run/reprap $(REPRAP)
	$(RUN) fabcommons demo --until-done --design run/reprap --time-scale 120 --timeout 36000

fuzz: setup      ## 500 requests to every address of the interface, from its own description
	FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-500} $(RUN) pytest tests/interop/test_fuzz_interface.py

fuzz-parsers: setup  ## mutated inputs to every parser, from tests/corpus: N=10000000 SEED=1
	$(RUN) python tests/support/fuzz_run.py --inputs $${N:-10000000} --seed $${SEED:-1} $(FUZZ)

audit: setup     ## known weaknesses of every locked package (asks OSV; needs a network)
	$(RUN) python scripts/audit.py

sbom: setup      ## what a site consists of, as CycloneDX: dist/sbom.json
	$(RUN) python scripts/sbom.py

bench: $(subst _,-,$(patsubst tests/bench/bench_%.py,bench-%,$(wildcard tests/bench/bench_*.py)))  ## every benchmark

bench-%: setup   ## one benchmark, e.g. bench-firmware; prints a table and writes run/bench/*.json
	$(RUN) python tests/bench/bench_$(subst -,_,$*).py $(BENCH)

chaos: setup     ## the fault campaign on virtual time, e.g. make chaos ORDERS=100000 SEED=1
	$(RUN) python tests/chaos/campaign.py --orders $(or $(ORDERS),2000) --seed $(or $(SEED),1) $(CHAOS)

chaos-floor: setup  ## the fault campaign on real processes: 20 firmware processes a round, SEED=1 ROUNDS=4
	$(RUN) python tests/chaos/floor_campaign.py --seed $(or $(SEED),1) --rounds $(or $(ROUNDS),4) $(CHAOS)

memory-gate: setup  ## the firmware's heap over 100,000 lines and 10,000 events, on 32-bit MicroPython
	scripts/micropython32 --fetch
	$(RUN) python tests/bench/gate_memory.py $(GATE)

clean:           ## remove what was made here
	rm -rf .venv .cache run dashboards/static dashboards/web/node_modules
