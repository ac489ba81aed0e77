# make run: set up and run the demo · make test: set up and run the suite · make check: all that CI runs
# make benchmark: run the benchmarks; some of them: make benchmark BENCHMARKS="resume slurm"; all but some: SKIP="slurm"
VENV ?= .venv
PYTHON ?= $(shell command -v python3.11 || command -v python3)
CORES ?= $(shell nproc)
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export PATH := $(abspath $(BIN)):$(PATH)

.PHONY: run test check format clean benchmark

run: $(READY)
	@if [ -t 2 ]; then mrd progress results/demo --until $$$$ & fi; \
	snakemake --cores $(CORES) --configfile workflow/config/demo.yaml --quiet rules progress
	@mrd show results/demo

test: $(READY)
	pytest -n $(CORES) --dist loadfile

check: $(READY)
	ruff format --check .
	ruff check .
	mypy
	lint-imports
	snakefmt --check Snakefile workflow
	snakemake --lint --configfile workflow/config/demo.yaml
	pytest -n $(CORES) --dist loadfile

format: $(READY)
	ruff format .
	ruff check --fix .
	snakefmt Snakefile workflow

# One name a line, in the order they run: python -m benchmarks.NAME. One that is not here, or finds no Slurm or GPU, says so.
BENCHMARKS ?= \
	speed \
	overhead \
	resume \
	slurm
SKIP ?=

benchmark: $(READY)
	@for name in $(filter-out $(SKIP),$(BENCHMARKS)); do \
	  echo "== $$name"; \
	  if [ -e benchmarks/$$name.py ] || [ -e benchmarks/$$name/__main__.py ]; then python -m benchmarks.$$name || exit 1; \
	  else echo "not here"; fi; \
	done

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	@touch $(READY)

clean:
	rm -rf build results .snakemake
