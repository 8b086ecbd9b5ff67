.PHONY: help run test check race vet staticcheck lint judge engines templates web client fuzz bench speed load crowd tools shots browser benchclient build preflight deploy edge remove smoke

help: ## list all targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## start the hub on this machine
	go run ./localhub

test: ## run all tests, and name those that skipped because a tool is missing
	go test ./...
	@scripts/missing-tools

check: ## run everything that CI runs
	.ci/run

race: ## run all tests with the race detector, in random order
	go test -race -shuffle=on ./...

vet: ## run gofmt and go vet
	@test -z "$$(gofmt -l .)" || { echo "these files need gofmt:"; gofmt -l .; exit 1; }
	go vet ./... && go vet -C scripts/samconfig . && go vet -tags dynamodb ./localhub && go vet -tags load ./internal/local/house && \
		go vet -tags speed ./internal/local/speed && go vet -tags autobahn ./gatewaytest && \
		go vet -tags planted ./internal/hub ./internal/rest ./internal/local/replay ./client && go vet -tags engines ./internal/hub/dynamostore

staticcheck: ## run staticcheck, pinned in scripts/tools.mod
	go tool -modfile=scripts/tools.mod staticcheck ./...
	go tool -modfile=scripts/tools.mod staticcheck -tags dynamodb ./localhub

lint: ## check this repository with gatewaylint, and gatewaylint with its specimens
	go build -C scripts/gatewaylint/lint/testdata ./...
	go vet -C scripts/gatewaylint ./...
	go test -C scripts/gatewaylint ./...
	go build -C scripts/gatewaylint -o $(CURDIR)/.tools/gatewaylint .
	.tools/gatewaylint -template template.yaml ./...

judge: ## let autobahntestsuite judge the frames of gatewaytest (needs Python 2.7; some minutes)
	go test -tags autobahn -count=1 -timeout 25m -run '^Test(Autobahn|Differences)' -v ./gatewaytest

engines: ## let moto and dynalite, two other DynamoDB engines, judge the store (needs make tools)
	go test -tags engines -count=1 -run '^TestOtherEngines$$' -v ./internal/hub/dynamostore

templates: ## let cfn-lint, AWS's SAM CLI, CDK and cdk-nag judge the templates (needs make tools)
	scripts/cfn-lint/run

client: ## build the browser's client into web/dist (needs Node.js 20)
	scripts/npm-lock live
	node web/build.mjs .tools/live

web: ## run the tests of the browser module (needs Node.js 20)
	cd web && node --test

fuzz: ## run each fuzz target for FUZZTIME (default 30s)
	scripts/fuzz $(FUZZTIME)

bench: ## measure fan-out to 1 to 10 000 subscribers, carts on disk, posts, stock over HTTP, cold starts and delays of the functions
	go test -run '^$$' -bench Fanout -benchtime 2s ./internal/local/house
	go test -run '^$$' -bench Carts ./internal/local/datafile
	go test -run '^$$' -bench Post ./internal/cloud/apigw
	go test -run '^$$' -bench Stock -cpu 1 ./internal/rest
	go test -run '^$$' -bench . -benchtime 100x ./internal/local/dynamo

speed: ## measure a localhub beside the smallest server, both in processes of their own (some minutes; Linux)
	go test -tags speed -count=1 -run '^TestSpeed$$' -v ./internal/local/speed

load: ## serve healthy clients beside 2 000 slow, silent and frozen sockets and a flood
	go test -tags load -count=1 -run '^TestLoad$$' -v ./internal/local/house

crowd: ## simulate a flash sale with 500 000 watchers, in virtual time (some minutes)
	CROWD_WATCHERS=500000 go test -count=1 -timeout 40m -run '^TestFlashSale$$' -v ./internal/local/crowd

tools: ## install the tools of the tests and of CI: wscat, dynoxide, AWS SDK for JavaScript, AWS CLI, cfn-lint, SAM translator
	scripts/ci-tools

shots: ## take the pictures in docs/images (needs Node.js 20, Chromium and tmux)
	scripts/shots/run
	scripts/shots/terminal

browser: ## test the browser's client, and walk through the demo shop (needs Node.js 20 and Chromium)
	scripts/browser/run
	scripts/shots/run shop

benchclient: client ## measure the browser's client, and its size beside that of others (needs Node.js 20 and Chromium)
	scripts/npm-lock live clients
	node scripts/clients/sizes.mjs
	scripts/browser/run bench
	scripts/browser/with node scripts/clients/bench.mjs

ARCH ?= arm64

build: ## build the six functions for Lambda into build/NAME/bootstrap (ARCH=arm64 or amd64)
	@for f in connect disconnect message authorize broadcast rest; do \
		CGO_ENABLED=0 GOOS=linux GOARCH=$(ARCH) go build -trimpath -buildvcs=false -tags lambda.norpc \
			-ldflags '-s -w -buildid=' -o build/$$f/bootstrap ./$$f || exit 1; \
		printf '%-12s %9d bytes\n' $$f $$(wc -c < build/$$f/bootstrap); \
	done

export STAGE ?= default

preflight: ## look in the account for what would make the first deployment fail (STAGE=environment of samconfig.toml)
	scripts/preflight

smoke: ## try the deployed hub once, as a shopper and as the shop: make smoke STAGE=..., or STACK=name
	@scripts/smoke $(STACK)

deploy: ## check the account, build for arm64, then deploy template.yaml with the SAM CLI (STAGE=...)
	$(if $(SKIP_PREFLIGHT),,scripts/preflight)
	$(MAKE) --no-print-directory build ARCH=arm64
	scripts/deploy

remove: ## delete a stack, but not its data, after a question: make remove STAGE=..., or STACK=name
	@scripts/remove $(STACK)

edge: ## deploy edge.yaml in us-east-1, by the environment STAGE-edge of samconfig.toml
	scripts/edge
