.PHONY: help run test check race vet staticcheck web fuzz bench tools

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
	go vet ./...

staticcheck: ## staticcheck, pinned in scripts/tools.mod
	go tool -modfile=scripts/tools.mod staticcheck ./...

web: ## tests of the browser module (needs Node.js 20)
	cd web && node --test

fuzz: ## each fuzz target for FUZZTIME (30s)
	scripts/fuzz $(FUZZTIME)

bench: ## fan-out to 1, 100, 1 000 and 10 000 subscribers
	go test -run '^$$' -bench Fanout -benchtime 2s ./internal/local

tools: ## install wscat for the tests that type into it (needs npm)
	scripts/ci-tools
