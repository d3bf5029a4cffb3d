# Everything goes through npm's packages: a machine with Node (20.19 or newer), npm and make needs nothing else, except for `make compat`.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PORT ?= 9092
DATA ?= ./data
SECONDS ?= 3600

installed := node_modules/.package-lock.json
built := build/.built
sources := $(shell find src test protocol packaging compat -type f \( -name '*.ts' -o -name '*.json' \) -not -path 'src/wire/generated/*' 2> /dev/null)

.PHONY: help run test build check compat consistency fuzz bench clean

help: ## what can be made (this list)
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

run: $(built) ## installs and builds what is missing, then runs the broker on localhost:9092 with its data in ./data (PORT=, DATA=)
	@node build/bin/main.cjs start --port $(PORT) --data-dir $(DATA)

test: $(built) check ## format, lint and types checked, then all suites, with kafkajs end to end
	@npx --no-install mocha

build: $(built) ## codecs generated, TypeScript compiled into build/

check: $(built)
	@npx --no-install biome format .
	@npx --no-install oxlint --type-aware --deny-warnings src protocol packaging test compat

compat: $(built) ## what needs other languages: clients of every family, Apache Kafka's own tools, Apache Kafka beside this broker
	@compat/run

consistency: $(built) ## an hour of transactions while the broker is killed, stopped and cut off, and a check of what was seen (SECONDS=, SEED=)
	@CONSISTENCY_SECONDS=$(SECONDS) compat/consistency/run

fuzz: $(built) ## ten minutes of requests and files made from the schemas and damaged, and a disk that fails at every operation
	@THOROUGH=1 npx --no-install mocha --no-config build/test/hostile/disk-errors.test.js
	@SEED=$${SEED:-$$RANDOM} FUZZ_SECONDS=$${FUZZ_SECONDS:-600} compat/fuzz/run

bench: $(built) ## this broker beside Apache Kafka, same load, when Apache Kafka can be had
	@compat/bench/run

clean: ## removes what was built, not what was installed and not ./data
	@rm -rf build src/wire/generated

$(installed): package.json package-lock.json
	@npm ci --no-fund --no-audit
	@touch $@

$(built): $(installed) $(sources) tsconfig.json
	@rm -rf build/bin build/src build/test build/compat build/protocol build/packaging
	@npm run --silent build
	@touch $@
