# "make help" lists the targets. Everything a target needs is got on the way: Go modules, the linter (tools/go.mod)
# and the programs that tests run against (tools/parts.sh). It all goes to .tools/ and bin/.
#
#   ENVOY=path REDIS_SERVER=path   programs to use instead of those found
#   WITHOUT="envoy redis jq python cc"   leave tests out that need these; by default a missing part is an error

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# Where the programs are built to.
BIN ?= bin
export ENVOY REDIS_SERVER WITHOUT BIN

LINTER := .tools/bin/golangci-lint
# Modules of their own, so that what only a test needs stays out of the product's go.mod.
NESTED := $(patsubst ./%/go.mod,%,$(shell find . -mindepth 2 -name go.mod -not -path './.tools/*' -not -path './tools/*'))
# Packages whose tests start whole systems run one after the other; the others run side by side. Of their tests, those
# that mostly wait run four at a time, after the others.
SYSTEMS := ./test/...
# "parts", below, puts the programs named after it into the environment of the rest of a recipe.
parts = parts=$$(tools/parts.sh $(1)); eval "$$parts"

# What is run, for the targets that say so.
RUN ?= .
BENCH ?= .
BENCHTIME ?= 1s
COUNT ?= 1
FUZZ ?= .
FUZZTIME ?= 20000x
PRICE ?=

.PHONY: help
help: ## list the targets
	@awk -F ':.*## |##@ ' '/^[a-z0-9%-]+:.*## /{printf "  %-10s %s\n", $$1, $$2} /^##@ /{printf "\n%s:\n", $$2}' $(MAKEFILE_LIST)

##@ Use it

# What --version tells. The go command would find the commit only where .git is a directory of ours: in a worktree it
# finds none, and in a clone of another user it ends the build. Without git or a commit the version is unknown.
VERSION ?= $(shell git -c safe.directory='*' describe --tags --always --dirty=+modified --abbrev=12 2>/dev/null)
BUILD = CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-X github.com/waygate/waygate/internal/config.stamped=$(VERSION)'

.PHONY: build
build: ## build bin/waygate, bin/waygate-admin, bin/waygate-authz and the demo service bin/waygate-demo
	$(BUILD) -o $(BIN)/ ./cmd/...
	$(BUILD) -o $(BIN)/waygate-demo ./test/demo

.PHONY: run
run: build ## run Envoy with Waygate and a demo service behind it; Ctrl-C stops everything
	@$(call parts,envoy); exec tools/run.sh

##@ Test it

.PHONY: test
test: build ## run all tests, against a real Redis and a real Envoy
	@$(call parts,envoy redis jq python)
	go test $$(go list ./... | grep -v '/test/')
	go test -count=1 -p 1 -parallel 4 $(SYSTEMS)
	for module in $(NESTED); do go -C $$module test ./...; done

.PHONY: e2e
e2e: build ## run the end-to-end tests and the guide's scripts; RUN=name picks some
	@$(call parts,envoy redis jq python)
	go test -count=1 -p 1 -parallel 4 -run '$(RUN)' $(SYSTEMS)

.PHONY: check
check: fmt-check vet lint arch fresh race fuzz ## everything a reviewer would say: format, vet, lint, layering, races, fuzz

.PHONY: fmt-check
fmt-check: $(LINTER)
	@changed=$$($(LINTER) fmt --diff) || { echo "$$changed"; echo 'Run "make fmt".'; exit 1; }

.PHONY: vet
vet:
	go vet -tags soak ./...
	go vet -tags crash ./internal/crash
	for module in $(NESTED); do go -C $$module vet ./...; done

.PHONY: lint
lint: $(LINTER) ## run the linters
	$(LINTER) run --allow-parallel-runners ./...
	for module in $(NESTED); do
		(cd $$module; $(CURDIR)/$(LINTER) run --allow-parallel-runners --config $(CURDIR)/.golangci.yml ./...)
	done

.PHONY: arch
arch: ## check who imports whom
	go test ./internal/arch/...

# A tenth of the random targets: the detector makes each ten times as dear and finds no more with more of them.
.PHONY: race
race: ## run the tests under the race detector, without those that start whole systems
	@$(call parts,cc redis envoy)
	case ' $(WITHOUT) ' in *[\ ,]cc[\ ,]*) echo 'race: left out, without cc'; exit 0 ;; esac
	WAYGATE_SOAK_READINGS=10000 CGO_ENABLED=1 go test -race -short $$(go list ./... | grep -v '/test/')

.PHONY: fuzz
fuzz: ## fuzz every target for a moment; FUZZTIME=1m fuzzes on, FUZZ=name picks some
	@tools/fuzz.sh '$(FUZZ)' '$(FUZZTIME)'

# Generated files are golden files of tests, which fail where one is stale; docs/openapi.yaml is one of them.
.PHONY: fresh
fresh: ## check that every go.mod is tidy
	@for module in . $(NESTED); do go -C $$module mod tidy -diff || { echo 'Run "make tidy".'; exit 1; }; done

.PHONY: bench
bench: build ## run all benchmarks, then price; BENCH=name picks some, BENCHTIME=3s COUNT=10 as in "go test"
	@$(call parts,envoy redis)
	go test -run '^$$' -bench '$(BENCH)' -benchtime '$(BENCHTIME)' -count $(COUNT) -benchmem -p 1 -timeout 60m \
		$$(grep -rl --include='*_test.go' '^func Benchmark' internal test | xargs dirname | sort -u | sed 's|^|./|')
	[ '$(BENCH)' != . ] || go run ./test/bench $(PRICE)

.PHONY: price
price: ## measure what a check costs beside the plainest server; PRICE="-only everyday -rounds 3" as it says with -h
	@$(call parts,envoy redis); go run ./test/bench $(PRICE)

.PHONY: soak
soak: soak-all ## run the tests that take minutes; soak-NAME runs those of that name

# The tests are those with the build tag "soak": TestSoakRedis… is soak-redis.
soak-%: build
	@$(call parts,envoy redis jq python); tools/soak.sh $*

##@ Care for it

.PHONY: fmt
fmt: $(LINTER) ## format the code
	$(LINTER) fmt

.PHONY: generate
generate: ## make the generated files anew: docs/openapi.yaml and the other golden files
	@$(call parts,redis envoy)
	for package in $$(grep -rl --include='*_test.go' 'flag.Bool("update"' . | xargs -r dirname | sort -u); do
		go test -count=1 $$package -update
	done

.PHONY: tidy
tidy: ## tidy the go.mod of all modules
	for module in . $(NESTED) tools; do go -C $$module mod tidy; done

.PHONY: parts
parts: ## get the programs that tests run against, and show where they are
	@tools/parts.sh envoy redis jq python cc

# One of them: make envoy, make redis.
PARTS := envoy redis jq python cc
.PHONY: $(PARTS)
$(PARTS):
	@tools/parts.sh $@

.PHONY: clean
clean: ## remove what was built and what "make run" stored
	rm -rf bin run

.PHONY: distclean
distclean: clean ## also remove the tools that were got
	rm -rf .tools

$(LINTER): tools/go.mod tools/go.sum
	@echo 'building the linter (minutes the first time)'
	go -C tools build -o $(CURDIR)/$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	touch $@
