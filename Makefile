# Everything sets itself up: `make demo` and `make test` work on a fresh Debian, Ubuntu or Raspberry Pi OS.
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench bench-peers models report lock clean
BIN := .venv/bin

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */\1\t/' | expand -t 12

setup: ## install what is missing (Debian packages, .venv)
	@.ci/setup

demo: setup ## the main job in simulation: seven people, real models, real broker, real ledger
	@$(BIN)/anxin sim demo

test: lint ## everything that must hold: style, types, import rules, tests
	$(BIN)/python -m pytest

lint: setup ## ruff, mypy --strict, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup ## times per model and per frame against bare interpreter calls, start, memory
	$(BIN)/python -m tests.bench.bench

bench-peers: setup ## the eyes against mediapipe, dlib and human on the same photo (installs them in ~/.cache/anxin/peers)
	$(BIN)/python -m tests.bench.peers

models: setup ## build the quantized models again from the pinned packages (five minutes)
	$(BIN)/anxin models build

DATA ?= ../shared/data
report: setup ## measure the eyes on the research data (DATA=...) and write models/REPORT.md again (three minutes)
	$(BIN)/anxin models report --data $(DATA)

lock: setup ## refresh requirements/*.lock from pyproject.toml
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --python-version 3.11 -c requirements/constraints.txt \
		pyproject.toml --extra sim --group dev -o requirements/dev.lock
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --python-version 3.11 -c requirements/constraints.txt \
		pyproject.toml -o requirements/device.lock

clean: ## remove what make made
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info artefacts bench.json
