# make check is what decides whether a change lands; the rest is for comfort.
.PHONY: build test check demo plant

build: ## the binary, in bin/
	go build -trimpath -o bin/instantly-rotator ./cmd/instantly-rotator

test:
	go test ./...

demo:
	go run ./cmd/instantly-rotator demo

plant: ## plant bugs, one at a time, and see the tests find them
	go run ./.ci/plant

check:
	bash .ci/run
