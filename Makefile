# The one list of commands: people and CI use the same words.

CARGO ?= cargo
SHARDPROOF = target/debug/shardproof
# Programs that tests require, and the features that are built for them.
REQUIRE ?= envoy,twemproxy
FEATURES ?=
REQUIRE_ALL = envoy,twemproxy,redis-8-server,valkey-server,docker,chromium,toxiproxy-rust,toxiproxy-python,$(CLIENTS)
# Redis clients from other projects, tested through a proxy.
CLIENTS = redis-py-8.1.0,redis-py-8.1.0-hiredis,redis-py-4.6.0,valkey-glide,coredis,redis-perl,hiredis,redis-cli,redis-benchmark
FEATURES_ALL = docker,toxiproxy-rust
# Where the scripts of ci/ install programs.
PEERS = $(abspath $(or $(CARGO_TARGET_DIR),target))/peers/bin
DENY = $(PEERS)/../cargo-deny/bin/cargo-deny
# Where programs that only benchmarks need are installed.
TOOLS = $(abspath $(or $(CARGO_TARGET_DIR),target))/tools

.PHONY: help setup peers servers linters browser clients images build fmt lint test test-docker demo article bench-proxy bench-link bench-placement bench-laws \
	snapshots review docs picture schemas vectors commands versions check check-long

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r word what; do printf '%-15s %s\n' "$$word" "$$what"; done

setup: ## install redis-server where it is missing
	@ci/setup

peers: ## install Envoy (pinned) and twemproxy
	@ci/peers

servers: ## install Redis 8 and Valkey, which the command table is compared with
	@ci/servers

linters: ## install cargo-deny and check-jsonschema where they are missing
	@ci/linters

browser: ## install the browser that tests the HTML reports
	@ci/browser

clients: ## install Toxiproxy and Redis clients from other projects
	@ci/clients/install

images: peers ## build container images of Redis, the proxies and shardproof from installed programs, without a registry
	@FEATURES="$(FEATURES)" ci/images/build

build: ## build both programs
	$(CARGO) build --workspace

fmt: ## format the code
	$(CARGO) fmt --all

lint: linters ## formatting, lints, files of CI services, and the licences, versions and sources of dependencies, as CI wants them
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --features "$(FEATURES)" -- --deny warnings
	@ci/workflows
	$(DENY) --locked check --hide-inclusion-graph licenses bans sources

test: setup peers ## every test; a missing peer is a failure
	SHARDPROOF_REQUIRE=$(REQUIRE) $(CARGO) test --workspace --features "$(FEATURES)"

# The programs of the images are built with the features of the tests.
test-docker: FEATURES = docker
test-docker: images ## the tests of nodes in containers; a missing Docker engine is a failure
	SHARDPROOF_REQUIRE=docker,envoy $(CARGO) test --workspace --features "$(FEATURES)" --test live --test conformance -- docker::

demo: setup peers build ## judge three proxies over real Redis nodes, measure a rescale, and end with a table of both
	@ci/demo

article: ## the article's setting in containers: Redis 3 -> 4 behind Envoy, compared with its claims (ARTICLE_DOCS=1 writes docs/rescale.md)
	@ci/article/run

bench-proxy: setup peers ## cost of each proxy: operations per second and CPU per operation
	$(CARGO) bench --package shardproof --bench proxy

bench-link: setup ## cost of a link between proxy and node
	$(CARGO) bench --package shardproof --bench relay

bench-placement: ## cost of placement per key and per table, in time and instructions, compared with other crates
	$(CARGO) bench --package placement-bench --features peers --bench placement
	@ci/instructions
	GUNGRAUN_RUNNER=$(TOOLS)/bin/gungraun-runner $(CARGO) bench --package placement-bench --features instructions --bench instructions

bench-laws: ## cost of each law of chaos on long histories, and of the checker on one million operations
	$(CARGO) bench --package shardproof-chaos --bench laws --bench checker

snapshots: ## write changed snapshots as *.snap.new; `make review` accepts or rejects them
	INSTA_UPDATE=new INSTA_FORCE_PASS=1 $(CARGO) test --package shardproof --test snapshots

review: ## show each changed snapshot as a diff to accept or reject; installs cargo-insta if it is missing
	@ci/review

docs: ## write the parts of the documents that are generated from fixtures and the program
	SHARDPROOF_WRITE_DOCS=1 $(CARGO) test --package shardproof --test rules generated_parts

picture: setup peers build ## run the proxies and write the pictures and measured parts of the documents
	@ci/picture

schemas: ## write the JSON schemas of the reports, suites/schema
	SHARDPROOF_WRITE_SCHEMAS=1 $(CARGO) test --package shardproof --test snapshots the_schemas

vectors: setup peers ## record where the real proxies put keys, fixtures/placement
	SHARDPROOF_WRITE_VECTORS=1 $(CARGO) test --package shardproof --test live -- vectors::record:: --test-threads 1

commands: setup servers ## record the command tables of the servers, fixtures/commands
	ci/commands
	ci/commands $(PEERS)/redis-8-server
	ci/commands $(PEERS)/valkey-server

versions: setup peers servers build ## judge earlier versions of Envoy, and all proxies over each kind of server
	ci/versions

check: FEATURES = $(FEATURES_ALL)
check: setup peers servers browser clients images ## all that CI runs: lints and every test, with nothing missing
	$(MAKE) lint FEATURES=$(FEATURES_ALL)
	$(CARGO) clippy --package placement-bench --all-targets --features peers,instructions -- --deny warnings
	$(MAKE) test REQUIRE=$(REQUIRE_ALL) FEATURES=$(FEATURES_ALL)

check-long: setup peers servers build ## five million random requests through refproxy, over each kind of server
	$(SHARDPROOF) differential --target refproxy --long
	SHARDPROOF_REDIS_SERVER=$(PEERS)/redis-8-server $(SHARDPROOF) differential --target refproxy --long
	SHARDPROOF_REDIS_SERVER=$(PEERS)/valkey-server $(SHARDPROOF) differential --target refproxy --long
