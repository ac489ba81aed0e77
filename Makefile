# make run: set up and run the demo · make test: set up and run the suite · make check: all that CI runs
VENV ?= .venv
PYTHON ?= $(shell command -v python3.11 || command -v python3)
CORES ?= $(shell nproc)
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export PATH := $(abspath $(BIN)):$(PATH)

.PHONY: run test check benchmark format clean

run: $(READY)
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

benchmark: $(READY)
	python -m benchmarks.speed

format: $(READY)
	ruff format .
	ruff check --fix .
	snakefmt Snakefile workflow

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	@touch $(READY)

clean:
	rm -rf build results .snakemake
