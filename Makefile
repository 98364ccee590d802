# The two commands of the README are `make demo` and `make test`; `make help` lists the rest.
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help setup setup-demo demo test test-all check fmt bench schema snippet senders test-bare test-cluster clean

BIN := .venv/bin

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/' | expand -t 22

setup: ## everything a developer needs, into .venv
	@deploy/setup.sh dev

setup-demo:
	@deploy/setup.sh demo

demo: setup-demo ## a shop, its shoppers, a fault, and the report; ARGS="--once --json" for scripts
	@exec $(BIN)/python -m sojourn_demo $(ARGS)

test: setup ## the tests, ten to thirty minutes on two cores; ARGS="-k word" to choose, ARGS="-n 0" one after the other
	@exec $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow" $(ARGS)

test-all: setup ## the slow ones too
	@exec $(BIN)/python -m pytest $(ARGS)

check: setup ## format, lint, types, import contracts, generated files
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m pytest -q tests/house

fmt: setup ## put the format right
	@$(BIN)/ruff check --fix-only --quiet . || true
	@$(BIN)/ruff format .

bench: setup ## where we stand; each prints its method and figures
	@set -e; for file in bench/*.py; do echo "== $$file"; $(BIN)/python $$file $(ARGS); done

schema: setup ## write the generated files anew: names of devices, rules of channels, journey schema, docs/telemetry.md, docs/configuration.md, docs/reference/
	@$(BIN)/python -c "import asyncio; from pathlib import Path; from sojourn_probes.steps.browser_devices import FILE, source; FILE.write_text(asyncio.run(source()))"
	@$(BIN)/python -c "from pathlib import Path; from sojourn_probes.channels import snippet_source; Path('agent/snippet/src/channel_rules.ts').write_text(snippet_source())"
	@$(BIN)/sojourn schema > probes/schema/journey.schema.json
	@$(BIN)/python docs/generate.py

snippet: ## build the browser snippet (needs node and npm)
	@cd agent/snippet && npm ci --silent && npm run --silent build

senders: ## JavaScript's SDKs that tests send with: OpenTelemetry's, Segment's, RudderStack's (needs npm; without it they are skipped)
	@cd tests/collector/senders/js && npm ci --silent

test-bare: ## the README's two commands in a bare Debian (root and debootstrap needed)
	@deploy/test-bare.sh

test-cluster: setup ## two collectors on a ClickHouse cluster in containers (needs docker); ARGS="-k word", KEEP=1 leaves it up
	@deploy/cluster/test.sh $(ARGS)

clean: ## throw the environment and caches away
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
