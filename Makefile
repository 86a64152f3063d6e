# `make` lists what there is. Works with GNU make 3.81 (macOS) and later.
PY := .venv/bin/python
NB ?=
FOLDER ?=
ARGS ?=
# One more than two cores: a live notebook and a browser's test often wait.
JOBS ?= 3
SHARED := --dist loadgroup --no-loadscope-reorder
TESTS := -m "not nightly and not server"
# Notebooks fork from one process that has imported everything; all of them begin anew in `make test-all`.
KERNELS := -ptools.gate.warm
# What is compiled once is there for the hundreds of processes that a run of the tests starts.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help env dev lab explore mine book record quick test test-all lint js types unit notebooks server live faults coverage refresh exercises handout guide editions slides launch screenshots fixtures bench format clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

env:
	@sh tools/make_env.sh requirements.txt

dev:
	@sh tools/make_env.sh requirements-dev.txt

lab: env ## open JupyterLab on the notebooks; ARGS=--no-browser for its options
	$(PY) -m tools.lab $(ARGS)

explore: env ## open the cluster explorer on your own videos: FOLDER=~/Videos/garden; without it the samples
	@echo "In the browser choose Run > Run All Cells: then the films are embedded and the explorer opens."
	VIDEO_SEARCH_FOLDER="$(FOLDER)" $(PY) -m tools.lab --LabApp.default_url=/lab/tree/explore/explore.ipynb $(ARGS)

mine: env ## copy the notebooks into mine/, which git ignores, for your own videos
	@$(PY) -m tools.mine

book: ## build the notebooks as a static site, with their committed outputs, into _book/
	@sh tools/make_env.sh requirements-book.txt
	$(PY) -m tools.book

reset: env ## a clean state: databases go, changed notebooks move to mine/kept; what you wrote or paid for stays
	@$(PY) -m tools.reset

record: env ## with a key: record the live service's answers for the samples into recordings/
	@$(PY) -m tools.record $(ARGS)

quick: JOBS := 2
quick: dev lint types ## what runs before a push: lint, types, the fast unit tests
	$(PY) -m pytest tests -n $(JOBS) $(SHARED) -m "not live and not browser and not slow and not server"

test: dev lint types unit notebooks ## what CI runs: everything but `nightly` tests and the real Milvus server

test-all: TESTS := -m "not server"
test-all: KERNELS :=
test-all: test ## all but the real server: the second live model, more random cases; before a release, each night

lint: dev js ## ruff on code and notebooks: lint and format; the floors of helpers/; the JavaScript
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	@.venv/bin/lint-imports --no-logo

js: ## biome on JavaScript and CSS, and their tests; left out without node, but not in CI
	@sh tools/check_js.sh

types: dev ## mypy, strict, on helpers/, tools/ and benchmarks/
	$(PY) -m mypy --num-workers $(JOBS)

unit: dev ## the unit tests, the guards, the notebooks live and in a browser
	$(PY) -m pytest tests -n $(JOBS) $(SHARED) $(TESTS)

notebooks: dev ## run every notebook and compare its outputs; NB=03_insertion for some
	$(PY) -m tools.gate -n$(JOBS) --dist=loadscope $(KERNELS) $(NB)

# Each worker has a server of its own, and mostly waits for it.
server: dev ## store, search and restart on a real Milvus server, which the first run installs
	@$(PY) -m tools.milvus_server --install
	$(PY) -m pytest tests/server -n 6 --dist load

live: dev ## run every notebook live against the practice server, as 3.5 and 3.0; NB=… for some
	$(PY) -m tools.live_run $(NB)

faults: dev ## let every fault happen, and write the table of docs/faults.md
	$(PY) -m tools.faults --write

coverage: dev ## fail where less than 95 % of the branches of the live path, the cache and the store are tested
	$(PY) -m tools.coverage

refresh: dev ## run every notebook and write its outputs in place; NB=03_insertion for some
	$(PY) -m tools.refresh $(NB)

exercises: dev ## make notebooks/exercises from notebooks/solutions
	@$(PY) -m tools.exercises

guide: dev ## write minutes and ways into lessons, exercises, README and the teacher's guide, workshop/README.md
	@$(PY) -m tools.workshop
	@$(PY) -m tools.exercises

editions: env ## for a class: learner/ (no outputs, no solutions) and live-coding/ (empty cells), which git ignores
	@$(PY) -m tools.editions

slides: dev ## the lecture parts as slides, in _slides/; needs npm once, and no network to show them
	@sh tools/npm_packages.sh
	$(PY) -m tools.slides

handout: dev ## one folder for a workshop without a network: repository, wheels, start.py; ARGS="--systems linux"
	$(PY) -m tools.handout $(ARGS)

launch: dev ## badges for Binder, Codespaces and Colab, once repo-url in pyproject.toml is set
	$(PY) -m tools.launch

screenshots: dev ## run 04 and the explorer in Chromium, and write the pictures of the README into docs/
	$(PY) -m tools.screenshots

fixtures: dev ## rebuild data/fixtures from the videos, the descriptions and the models
	$(PY) -m tools.build_fixtures

bench: dev ## half an hour of benchmarks into docs/benchmarks.md; ARGS="--only engines", ARGS=--quick
	$(PY) -m benchmarks $(ARGS)

format: dev ## let ruff mend what it can
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

clean: ## remove the environment, caches, databases
	rm -rf .venv node_modules _book _slides .video-search .pytest_cache .ruff_cache .mypy_cache *.egg-info
