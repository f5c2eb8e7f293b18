# make check is what decides whether a change lands; the rest is for comfort.
.PHONY: build man completions units test lint check cross claims matrix crash-matrix sim sim-bugs demo plant bench incidents bench-daemon admin-kill places

build: ## the binary, in bin/
	go build -trimpath -o bin/instantly-rotator ./cmd/instantly-rotator

man: build ## the manual pages, in bin/man/, of the same texts as --help
	bin/instantly-rotator man bin/man

completions: build ## for shells, in bin/completions/
	mkdir -p bin/completions
	for shell in bash zsh fish; do \
		bin/instantly-rotator completion $$shell > bin/completions/instantly-rotator.$$shell || exit 1; done
	bin/instantly-rotator completion powershell > bin/completions/instantly-rotator.ps1

units: ## for packages, in bin/systemd/: the units with the path that packages install to
	mkdir -p bin/systemd
	for unit in deploy/systemd/instantly-rotator*; do \
		sed 's#/usr/local/bin/#/usr/bin/#' $$unit > bin/systemd/$${unit##*/} || exit 1; done

.PHONY: chart
chart: ## packaged, in bin/chart/: make chart VERSION=1.2.3
	rm -rf bin/chart
	helm package deploy/helm/instantly-rotator --destination bin/chart --version $(VERSION) --app-version v$(VERSION)

test:
	go test ./...

lint: ## module files, Go code, workflows
	bash .ci/lint

demo:
	go run ./cmd/instantly-rotator demo

.PHONY: demo-recording
demo-recording: ## what the demo says, as the moving picture in the README
	go run ./cmd/instantly-rotator/demo/record cmd/instantly-rotator/demo/recording.svg

claims: ## the contract's suite on every backend, as one table
	go run ./rotator/rotatortest/tables claims

matrix: ## the engine's crash matrix on every backend, as one table
	go run ./rotator/rotatortest/tables matrix

sim: ## the engine in worlds drawn from seeds: RUNS=1000000 SEED=1 make sim
	go test ./rotator -run '^TestSimulation$$' -count=1 -v -timeout 0 -sim.runs=$(or $(RUNS),10000) -sim.seed=$(or $(SEED),1) -sim.progress=30s

sim-bugs: ## plant bugs, and count the worlds until the simulator finds each
	go run ./rotator/rotatortest/plant -simulated

crash-matrix: ## the real binary killed, suspended and failed at every outside call, as one table
	go run ./rotator/rotatortest/tables crash

admin-kill: ## the admin key rotated 200 times by a daemon that is killed at random, on each kind of store
	go test ./cmd/instantly-rotator -run '^TestAdminKeyRotatedWhileTheDaemonIsKilled$$' -count=1 -v -timeout 0 -admin.rotations=$(or $(ROTATIONS),200)

places: build ## a key in three stores and two sinks through ten rotations, killed at random, with a consumer behind each
	bash .ci/vault bin/kv-engine
	go test ./rotator/rotatortest/places -run '^TestNoConsumerIsRefusedWhereverItReadsTheKey$$' -count=1 -v -timeout 0 -places.binary=$(CURDIR)/bin/instantly-rotator -places.vault=$(CURDIR)/bin/kv-engine -places.rotations=$(or $(ROTATIONS),10)

plant: ## plant bugs, one at a time, and see the tests find them
	go run ./rotator/rotatortest/plant

bench: ## against the bound: throughput, latency, calls, catch-up, idle, start, emergency
	go run ./rotator/rotatortest/bench

incidents: ## what a person sees in four incidents, and how soon
	go run ./rotator/rotatortest/incidents

.PHONY: page-check
page-check: ## the page in a real Chromium, with axe-core: each state, wide and narrow, light and dark; pictures: SHOTS=DIR
	@command -v chromium >/dev/null || { echo "NOT CHECKED: the page in a browser, without chromium (apt-get install chromium)"; exit 1; }
	dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && (cd "$$dir" && npm pack --silent axe-core@4.14.1 && tar xzf axe-core-4.14.1.tgz) && \
	go test -tags browser ./cmd/instantly-rotator/page -run InABrowser -count=1 -v -timeout 30m -page.axe="$$dir/package/axe.min.js" -page.shots="$(abspath $(SHOTS))"

bench-daemon: ## the daemon with 10,000 targets: time to ready, memory, CPU when idle
	go run ./rotator/rotatortest/bench -strict idle

SYSTEMS = windows/amd64 darwin/arm64 freebsd/amd64 linux/386
cross: ## the binary builds for the other systems that it is released for
	for system in $(SYSTEMS); do \
		GOOS=$${system%/*} GOARCH=$${system#*/} go build -o /dev/null ./cmd/instantly-rotator || exit 1; done

check:
	bash .ci/run
