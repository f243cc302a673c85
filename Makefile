# make help lists what there is to do.
SWIFT ?= swift
FOVEA = .build/release/fovea
PREFIX ?= $(HOME)/.local

# Optimised, because unoptimised pixel loops are too slow to train in; testable, so that build, tests and demo share one
# set of flags and nothing is compiled twice.
FLAGS = -c release -Xswiftc -enable-testing
# `swift test` would add -enable-testing once more, and everything would be compiled again for the difference.
# Threads of OpenMP that spin while they wait take three times as long on cores that others use too.
TEST = OMP_WAIT_POLICY=passive $(SWIFT) test $(FLAGS) --disable-testable-imports --no-parallel

.DEFAULT_GOAL := help
.PHONY: help setup build install test check-slow demo bench method-table format check-format check-dependencies clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## fetch what is missing: codec libraries, libtorch
	@./setup

build: setup ## build the fovea command and the library
	$(SWIFT) build $(FLAGS)

# The command finds the recipes by its own place; libtorch stays where the build found it.
install: build ## install the command and its recipes; PREFIX=~/.local
	install -d "$(PREFIX)/bin" "$(PREFIX)/share/fovea"
	install -m 755 $(FOVEA) "$(PREFIX)/bin/fovea"
	rm -rf "$(PREFIX)/share/fovea/Recipes"
	cp -R Recipes "$(PREFIX)/share/fovea/Recipes"
	@case ":$$PATH:" in *":$(PREFIX)/bin:"*) ;; *) echo "now add $(PREFIX)/bin to your PATH" ;; esac

test: setup ## run all tests but the slow ones
	$(TEST)

check-slow: setup ## run all tests, with those that train for minutes
	FOVEA_SLOW_TESTS=1 $(TEST)

demo: build ## pretrain, evaluate and report in a few minutes; DATA=folder for your own images
	$(FOVEA) demo --out runs/demo $(if $(DATA),--data $(DATA))

bench: setup ## measure speed and draw docs/performance-*.svg; PYTHON with the peers, PHOTOS=folder at 224 px, FILES=25,000 small images
	$(SWIFT) build --package-path Benchmarks -c release
	python3 Benchmarks/compare.py --python $(or $(PYTHON),python3) --csv Benchmarks/results/performance.csv \
		$(if $(PEERS),--peers $(PEERS)) $(if $(PHOTOS),--photos $(PHOTOS)) $(if $(FILES),--files $(FILES))
	rm -f Benchmarks/results/step.jsonl
	for recompute in large none; do for size in "" "--backbone resnet50 --size 224 --views 64 --repeats 3"; do \
		OMP_WAIT_POLICY=passive Benchmarks/.build/release/step-breakdown $$size --recompute $$recompute \
			>> Benchmarks/results/step.jsonl || exit 1; done; done
	cat Benchmarks/results/step.jsonl
	$(if $(FILES),Benchmarks/.build/release/loader-scaling $(FILES) > Benchmarks/results/loader.jsonl && cat Benchmarks/results/loader.jsonl)
	$(if $(shell command -v perf),python3 Benchmarks/breakdown.py after)
	Benchmarks/.build/release/performance-plots Benchmarks/results docs $(wildcard Recipes/measured.csv)

method-table: build ## every method's small recipe on labelled images (hours; goes on where it stopped); DATA=folder, JOBS=2 side by side
	test -d runs/method-table-clips || $(FOVEA) clips --out runs/method-table-clips --test-count 1000
	OMP_WAIT_POLICY=passive python3 Benchmarks/method_table.py --data $(or $(DATA),../shared/data/cifar10) --clips runs/method-table-clips --jobs $(or $(JOBS),2) $(if $(CSV),--csv $(CSV))

format: ## format all sources
	$(SWIFT) format -i -r Sources Tests Package.swift

check-format: ## fail where a source is not formatted
	$(SWIFT) format lint --strict -r Sources Tests Package.swift

check-dependencies: setup ## build, and fail where a module imports another that it does not declare
	$(SWIFT) build --build-tests $(FLAGS) --explicit-target-dependency-import-check error

clean: ## delete build products
	rm -rf .build
