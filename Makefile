# One command each; all of them set up what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help setup demo test test-rest test-simulations test-slow test-exhaustive test-all lint bench schemas docs audit hashes wheels clean

help:
	@echo "make demo      set up, and run the main job on real text (eight to twelve minutes)"
	@echo "make test      set up, and show that the main promises are kept here (at most four minutes on two quiet cores)"
	@echo "make test-rest every other test of ordinary length, in parts (about eleven minutes)"
	@echo "make test-simulations  coverage and false positives of statistics on hundreds of simulated texts (about five minutes)"
	@echo "make test-slow the slow ones, in parts: several processes, whole runs (about twenty minutes)"
	@echo "make test-exhaustive  every operation on the disk that may fail, thousands of malformed files (about forty minutes)"
	@echo "make test-all  all of them"
	@echo "make lint      ruff, and mypy in strict mode"
	@echo "make bench     speed and memory beside the reference's algorithm, Trainer and the machine's limit (20 minutes)"
	@echo "make audit     look up known vulnerabilities of what is installed, where that can be reached"
	@echo "make hashes    write requirements.txt, which pins the demo's packages with their hashes"
	@echo "make wheels    gather what a machine without a network needs (PYTHON_THERE=3.12 PLATFORM=manylinux_2_28_x86_64)"
	@echo "make docs      build the documentation into site/, with every link checked"

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "twotower needs Python 3.11 or newer: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt "torch>=2.6"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev,tensorboard]"
	touch $(STAMP)

demo: setup
	$(BIN)/twotower run --preset quickstart --out runs/demo

# Two processes, and all parts, share the whole runs, each of which is built once (TEST_RUNS). A file of tests stays in one
# process, but for the slow ones, of which a few files have most. A part that fails ends no other.
PYTEST := $(BIN)/python -m pytest --numprocesses 2
PARTS := "tests/end_to_end tests/api tests/explorer tests/report tests/docs tests/test_*.py" "tests/training tests/studies" \
	"tests/system tests/config tests/runs tests/fuzz tests/cli tests/data" \
	"tests/modeling tests/scoring tests/preference tests/knowledge tests/comparison tests/statistics"
in_parts = failed=0; runs=$${TEST_RUNS:-$$(mktemp -d)}; \
	for part in $(PARTS); do TEST_RUNS=$$runs $(PYTEST) --dist $(1) -m "$(2)" $$part || failed=1; done; \
	[ -n "$$TEST_RUNS" ] || rm -rf "$$runs"; exit $$failed

test: setup
	$(PYTEST) --dist loadfile -m promise

test-rest: setup
	$(call in_parts,loadfile,not promise and not slow and not montecarlo and not exhaustive)

test-simulations: setup
	$(PYTEST) --dist worksteal -m montecarlo

test-slow: setup
	$(call in_parts,worksteal,slow)

test-exhaustive: setup
	$(PYTEST) --dist worksteal -m exhaustive

test-all: test test-rest test-simulations test-slow test-exhaustive

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

schemas: setup
	$(BIN)/python tools/schemas.py

bench: setup
	$(BIN)/python benchmarks/bench.py

docs: $(VENV)/.docs
	PYTHONPATH=tools $(BIN)/zensical build --strict --clean
	$(BIN)/python tools/check_site.py site

$(VENV)/.docs: $(STAMP)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[docs]"
	touch $@

audit: setup
	$(BIN)/python -m pip install --quiet --constraint constraints.txt pip-audit
	$(BIN)/python tools/audit.py

hashes: setup
	$(BIN)/python -m pip install --quiet --constraint constraints.txt uv
	$(BIN)/uv pip compile pyproject.toml --constraint constraints.txt --universal --generate-hashes --no-annotate \
		--custom-compile-command "make hashes" --output-file requirements.txt --quiet

PYTHON_THERE ?= 3.12
PLATFORM ?= manylinux_2_28_x86_64

wheels: setup
	$(BIN)/python tools/wheels.py --python $(PYTHON_THERE) --platform $(PLATFORM) --out wheels

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache build dist site
