# make app     install what the app needs into .venv and start it      (PORT=8501, HEADLESS=true: open no browser,
#              ADDRESS=0.0.0.0: for other machines, too; with SVGE_SHARED=1 in the environment for visitors, within limits)
# make test    everything CI runs: lint, format, types, tests          (WORKERS=3: parallel test processes)
# make check   lint, format and types only
# make gpu-check  compare a GPU with the CPU and measure it; without one it says so
# make bench   the benchmarks in bench/, one after another
# make docs    bring the generated parts of the documentation up to date and build its site into site/
# make lock    requirements.lock again, after a change of requirements.txt
# make clean   remove .venv and caches
#
# Nothing is installed outside .venv. A stamp per step makes a second run instant.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := app
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501
ADDRESS ?= 127.0.0.1
HEADLESS ?=
WORKERS ?= 3
# Patient with slow networks; the torch wheel alone is some hundred megabytes.
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --no-input --retries 8 --timeout 60
CPU_INDEX := https://download.pytorch.org/whl/cpu

TORCH_PACKAGES := torch triton cuda-bindings cuda-pathfinder cuda-toolkit nvidia-cublas nvidia-cuda-cupti nvidia-cuda-nvrtc \
  nvidia-cuda-runtime nvidia-cudnn-cu13 nvidia-cufft nvidia-cufile nvidia-curand nvidia-cusolver nvidia-cusparse \
  nvidia-cusparselt-cu13 nvidia-nccl-cu13 nvidia-nvjitlink nvidia-nvshmem-cu13 nvidia-nvtx

.PHONY: app install install-dev test check lint types tests gpu-check bench docs install-docs lock clean help

help:
	@sed -n '/^#/!q;s/^# \{0,1\}//p' Makefile

app: install
ifneq ($(ADDRESS),127.0.0.1)
	@$(if $(filter-out 0,$(SVGE_SHARED)),echo "Open at $(ADDRESS) to visitors: see docs/guide/visitors.md for what they may do.",\
	  echo "Open at $(ADDRESS): whoever reaches this machine may start trainings and searches, and delete what others made. SVGE_SHARED=1 keeps them within limits.")
endif
	$(BIN)/python -m streamlit run app.py --server.port $(PORT) --server.address $(ADDRESS) --server.showEmailPrompt false \
	  --browser.gatherUsageStats false $(if $(HEADLESS),--server.headless $(HEADLESS))

install: $(VENV)/.app-installed
install-dev: $(VENV)/.dev-installed
install-docs: $(VENV)/.docs-installed

# The newest version that the pinned wheels were tried with comes first; any other from 3.11 on is accepted.
$(VENV)/.made:
	@for python in $(PYTHON) python3.11 python3.12 python3.13 python3; do \
	  path=$$(command -v $$python) || continue; \
	  "$$path" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  "$$path" -c 'import venv, ensurepip' 2>/dev/null || { \
	    echo "$$path cannot make virtual environments; on Debian or Ubuntu install python3-venv." >&2; continue; }; \
	  echo "Making $(VENV) with $$path ($$("$$path" -V))"; \
	  "$$path" -m venv $(VENV); touch $@; exit 0; \
	done; \
	echo "SVGe Explorer needs Python 3.11 or newer; found: $$(python3 -V 2>&1 || true)." >&2; \
	echo "Install one, or name it: make app PYTHON=/path/to/python3.11" >&2; exit 1

# PyTorch's default build for Linux carries several gigabytes of CUDA. Without an NVIDIA GPU the CPU build is enough;
# where its index cannot be reached, the default index serves.
$(VENV)/.torch-installed: requirements.txt $(VENV)/.made
	@torch=$$(sed -n 's/^\(torch==[^ #]*\).*/\1/p' requirements.txt); extra=; \
	if [ "$$(uname -s)" = Linux ] && ! { command -v nvidia-smi && nvidia-smi -L; } >/dev/null 2>&1; then \
	  if $(BIN)/python -c 'import sys, urllib.request as u; u.urlopen(sys.argv[1], timeout=8)' \
	       $(CPU_INDEX)/torch/ >/dev/null 2>&1; \
	  then extra="--extra-index-url $(CPU_INDEX)"; echo "No NVIDIA GPU found: installing PyTorch's CPU build."; \
	  else echo "No NVIDIA GPU found, and PyTorch's CPU index is out of reach: installing the default build."; fi; \
	fi; \
	$(PIP) $$extra "$$torch"
	@touch $@

# Every package that requirements.txt brings along, by version and sha256: what was tested, and nothing else.
$(VENV)/.app-installed: requirements.lock $(VENV)/.torch-installed
	$(PIP) --no-deps --require-hashes -r requirements.lock
	@touch $@

# PyTorch and what it brings for GPUs stay out of the lock: which build is right depends on the machine (see above).
lock: install
	$(PIP) uv
	$(BIN)/uv pip compile --universal --python-version 3.11.5 --generate-hashes --no-annotate --quiet \
	  --custom-compile-command "make lock" $(TORCH_PACKAGES:%=--no-emit-package %) requirements.txt -o requirements.lock

$(VENV)/.dev-installed: requirements-dev.txt requirements-oracles.txt $(VENV)/.app-installed
	$(PIP) -r requirements-dev.txt
	$(PIP) --no-deps -r requirements-oracles.txt
	@touch $@

$(VENV)/.docs-installed: requirements-docs.txt $(VENV)/.dev-installed
	$(PIP) -r requirements-docs.txt
	@touch $@

lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

# one version on every machine, and no look-up of a newer one
types: install-dev
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright

check: lint types

# one thread per process: more than one each only get in each other's way; more processes than cores use what the others
# leave while they wait for servers and browsers
tests: install-dev
	@[ -n "$${CHROME:-}" ] || command -v chromium chromium-browser google-chrome >/dev/null || \
	  echo "NOTE: no Chromium on PATH and CHROME is not set, so the browser tests will be skipped."
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS)

test: check tests

gpu-check: install-dev
	$(BIN)/python -m tools.gpu_check

bench: install-dev
	@for script in $$(grep -l '^if __name__ == "__main__"' bench/*.py); do \
	  echo "== $$script"; $(BIN)/python -m $$(echo "$${script%.py}" | tr / .); \
	done

docs: install-docs
	$(BIN)/python -m tools.docs.pages
	$(BIN)/python -m tools.docs.drawing
	$(BIN)/python -c "import pygraphviz as g; g.AGraph('assets/data-flow.dot').draw('assets/data-flow.svg', prog='dot')"
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

clean:
	rm -rf $(VENV) site .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
