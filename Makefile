# make demo: drums for an example song.  make test: the tests.  make check: lint and types.
# make page: builds the studio's page (web/) into the package; needs Node.js 20.19 or later.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

.PHONY: demo test check page clean
demo: .venv/installed
	@mkdir -p out
	@$(BIN)/backbeat accompany examples/song.mid -o out/song-with-drums.mid --wav out/song-with-drums.wav --seed 1

test: .venv/installed-dev
	@$(BIN)/python -m pytest -n auto --dist loadfile

check: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

page:
	cd web && npm ci --no-audit --no-fund && npm run check && npm test && npm run build

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

.venv/installed-dev: .venv/bin/python pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ .venv/installed

clean:
	rm -rf .venv out
