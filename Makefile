.PHONY: help run test check race vet staticcheck web fuzz bench load tools build deploy

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## run the hub on this machine
	go run ./localhub

test: ## all tests
	go test ./...

check: vet staticcheck race web ## everything that CI checks

race: ## all tests with the race detector, in random order
	go test -race -shuffle=on ./...

vet: ## gofmt and go vet
	@test -z "$$(gofmt -l .)" || { echo "gofmt wants to change:"; gofmt -l .; exit 1; }
	go vet ./... && go vet -tags dynamodb ./localhub && go vet -tags load ./internal/local/house

staticcheck: ## staticcheck, pinned in scripts/tools.mod
	go tool -modfile=scripts/tools.mod staticcheck ./...
	go tool -modfile=scripts/tools.mod staticcheck -tags dynamodb ./localhub

web: ## tests of the browser module (needs Node.js 20)
	cd web && node --test

fuzz: ## each fuzz target for FUZZTIME (30s)
	scripts/fuzz $(FUZZTIME)

bench: ## fan-out to 1, 100, 1 000 and 10 000 subscribers; posts, cold starts and delays of the functions
	go test -run '^$$' -bench Fanout -benchtime 2s ./internal/local/house
	go test -run '^$$' -bench Post ./internal/cloud/apigw
	go test -run '^$$' -bench . -benchtime 100x ./internal/local/dynamo

load: ## 2 000 slow, silent and frozen sockets and a flood, beside healthy clients
	go test -tags load -count=1 -run '^TestLoad$$' -v ./internal/local/house

tools: ## install the tools of the tests: wscat, dynoxide, AWS SDK for JavaScript, AWS CLI (needs npm)
	scripts/ci-tools

ARCH ?= arm64

build: ## the six functions for Lambda, build/NAME/bootstrap (ARCH=arm64 or amd64)
	@for f in connect disconnect message authorize broadcast ticket; do \
		CGO_ENABLED=0 GOOS=linux GOARCH=$(ARCH) go build -trimpath -buildvcs=false -tags lambda.norpc \
			-ldflags '-s -w -buildid=' -o build/$$f/bootstrap ./$$f || exit 1; \
		printf '%-12s %9d bytes\n' $$f $$(wc -c < build/$$f/bootstrap); \
	done

deploy: ## build for arm64 and deploy template.yaml with the SAM CLI
	$(MAKE) --no-print-directory build ARCH=arm64
	sam deploy $$(test -e samconfig.toml || echo --guided) --resolve-s3 --template-file template.yaml --capabilities CAPABILITY_IAM
