# The front door. `make help` lists what there is.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VERSION  := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
# Set from outside: BASE and PG_MAJOR (another Debian, another PostgreSQL), TAGS, FEATURES of the
# crate, QUICK=1 (a binary that is built fast rather than fast).
BASE     ?= debian:trixie-slim
PG_MAJOR ?= 17
TAGS     ?= $(VERSION) latest
FEATURES ?=
QUICK    ?=

# Test programs that need docker; everything else under tests/ runs without.
TESTS        := $(notdir $(basename $(wildcard tests/*.rs)) $(patsubst %/main.rs,%,$(wildcard tests/*/main.rs)))
DOCKER_TESTS := $(filter supply postgres cluster pool see services variants secrets doctor operate rotation,$(TESTS))
PURE_TESTS   := $(filter-out $(DOCKER_TESTS),$(TESTS))

# Certificates that only this host trusts (a TLS-inspecting proxy): empty for most people.
EXTRA_CA := target/extra-ca.crt

##@ Use

up: ## build what is missing, start the cluster, wait until it is writable, say how to connect
	@docker/prepare-host
	@compose/make-secrets
	@$(MAKE) images
	@docker compose up -d
	@compose/wait-until-writable

down: ## stop the cluster; the data stay
	docker compose down

clean: ## stop the cluster and delete its data
	docker compose down --volumes

logs: ## follow the logs of all containers
	docker compose logs -f --tail 50

##@ Build and prove

images: image-postgres image-pgpool ## build pgcluster/postgres and pgcluster/pgpool

image-%: $(EXTRA_CA)
	@echo "building pgcluster/$*: $(TAGS)"
	@build=(docker buildx build --file docker/Dockerfile --target $* \
	  --build-arg BASE=$(BASE) --build-arg PG_MAJOR=$(PG_MAJOR) \
	  --build-arg FEATURES=$(FEATURES) --build-arg QUICK=$(QUICK) \
	  --secret id=extra_ca,src=$(EXTRA_CA) $(foreach tag,$(TAGS),--tag pgcluster/$*:$(tag)) .); \
	if [ -t 2 ]; then "$${build[@]}"; exit; fi; \
	log=$$(mktemp); trap 'rm -f "$$log"' EXIT; \
	"$${build[@]}" --progress plain >"$$log" 2>&1 || { cat "$$log" >&2; exit 1; }

$(EXTRA_CA): $(wildcard /usr/local/share/ca-certificates/*.crt)
	@mkdir -p $(@D)
	@cat $^ </dev/null >$@

check: ## format, lints, unit and golden tests, dependencies: no docker needed
	cargo fmt --check
	cargo clippy --locked --all-targets --all-features -- -D warnings
	cargo test --locked --lib --bins $(PURE_TESTS:%=--test %)
	@supply/deny --if-installed

test: ## everything, on a bare machine too
	@docker/prepare-host --test
	@$(MAKE) check
	@$(MAKE) images
	@$(MAKE) test-images
	cargo test --locked --no-run $(DOCKER_TESTS:%=--test %)
	@$(foreach program,$(DOCKER_TESTS),$(MAKE) test-$(program) &&) echo "all test programs passed"

test-images:
	@docker/prepare-host --test
	@$(MAKE) images TAGS=test FEATURES=fault-points QUICK=1

test-%:
	@tests/run $*

faults: ## every fault test, also those that take long
	@$(MAKE) test-images
	$(foreach program,$(DOCKER_TESTS),cargo test --locked --test $(program) -- --include-ignored --skip soak:: &&) true

soak: ## random faults for SOAK_MINUTES (35), at most SOAK_FAULTS (300), under clients that count
	@$(MAKE) test-images
	cargo test --locked --test cluster -- --ignored --nocapture soak::

fuzz: ## FUZZ_RUNS (1000000) inputs for each reader of foreign bytes; TARGETS="auto_conf" for some
	@fuzz/run $(TARGETS)

deny: ## licences, sources and known weaknesses of the crates; installs cargo-deny into target/tools
	@supply/deny

sbom: ## what binary and images are made of, as CycloneDX in target/sbom
	@supply/sbom

audit: ## Debian's known vulnerabilities in the images; needs debsecan and the network
	@supply/audit

reproducible: ## build the binary twice in clean directories and compare the bytes
	@supply/reproducible

# The bench program is static, because it runs in the containers too, beside the servers that it times.
bench: ## measure what starts cost, with the peer beside it; BENCH="restart rendering" for some of it
	@docker/prepare-host --test
	@$(MAKE) images
	RUSTFLAGS='-C target-feature=+crt-static' cargo bench --locked --bench bench --target $$(rustc -vV | sed -n 's/^host: //p') -- $(BENCH)

help: ## this list
	@awk -F ':.*## ' '/^##@/ { printf "\n%s\n", substr($$0, 5) } /^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: up down clean logs images check test test-images faults soak fuzz deny sbom audit reproducible bench help
