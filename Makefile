PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

NODE_PACKAGES := $(VENV)/npm/node_modules/.package-lock.json

.PHONY: help run test lint audit fuzz bench chaos setup messages screenshots vendor constraints docs clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) $(NODE_PACKAGES)  ## the virtual environment with the product and all that its tests need

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; set PYTHON=…") if sys.version_info < (3, 11) else None'
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

$(NODE_PACKAGES): tests/package.json | $(STAMP)
	@$(BIN)/python -m tests.node_packages

run: $(STAMP)  ## the product with a simulated cluster on http://127.0.0.1:8000
	@exec $(BIN)/python -m notifcenter.run

# Each of the processes has a private server of its own; a database that was given is not shared. One more than there are
# processors, because much of a test is waiting.
PROCESSES := $(shell $(PYTHON) -c 'import os; print(min(4, (os.cpu_count() or 1) + 1))')
TOGETHER := $(if $(DATABASE_URL),,--numprocesses=$(PROCESSES) --dist=loadfile --no-loadscope-reorder)

test: setup  ## the whole test suite, browser tests included
	@$(BIN)/python -m pytest $(TOGETHER)

lint: $(STAMP)  ## ruff, mypy --strict, import-linter, template lint, links of the docs, licences
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/djlint templates --lint --quiet
	@$(BIN)/python manage.py makemigrations --check --dry-run
	@$(BIN)/sphinx-build -b dummy -W --keep-going -q docs .data/docs-checked
	@$(BIN)/python -m tests.licences --check

audit:  ## known vulnerabilities of what constraints.txt names; asks a service of the Python Package Index, so not part of `make lint`
	@test -x .data/audit/bin/pip-audit || { $(PYTHON) -m venv .data/audit && \
		.data/audit/bin/pip install --quiet --disable-pip-version-check pip-audit; }
	@.data/audit/bin/pip-audit --requirement constraints.txt --no-deps --disable-pip --strict --progress-spinner off

docs: $(STAMP)  ## the documentation as pages in .data/docs; a wrong link ends it
	@$(BIN)/sphinx-build -b html -W --keep-going -q docs .data/docs

fuzz: setup  ## random requests to each address of REST, a thousand instead of a few
	@FUZZ_EXAMPLES=1000 $(BIN)/python -m pytest tests/integration/test_fuzz_rest.py -q --timeout 0

bench: $(STAMP)  ## benchmarks beside their floors
	@$(BIN)/python -m bench

chaos: setup  ## more than 200 kills of everything; the table goes to .data/chaos.md (about 5 minutes)
	@$(BIN)/python -m pytest tests/chaos/long_run.py -q -s -o python_files=long_run.py

constraints:  ## renews constraints.txt with today's releases; then `make test` has to pass with them
	@rm -rf .data/constraints
	@$(PYTHON) -m venv .data/constraints
	@.data/constraints/bin/pip install --quiet --disable-pip-version-check '.[dev]'
	@.data/constraints/bin/pip freeze --exclude notifcenter > constraints.txt
	@rm -rf .data/constraints

LIT := lit@3.3.3
# Newer ones leave a comment in the page for every row that goes: https://github.com/lit/lit/issues/5298
LIT_HTML := lit-html@3.3.0
INTER := @fontsource-variable/inter@5.2.8
ESBUILD := esbuild@0.28.2
VENDOR := static/notifcenter/vendor

vendor:  ## Lit and Inter from their npm packages into static/notifcenter/vendor (needs node)
	@mkdir -p .data/vendor
	@npm install --silent --no-save --no-audit --no-fund --ignore-scripts --prefix .data/vendor $(LIT) $(LIT_HTML) $(INTER) $(ESBUILD)
	@NODE_PATH=.data/vendor/node_modules .data/vendor/node_modules/.bin/esbuild $(VENDOR)/entry.js --bundle --minify \
		--format=esm --target=es2022 --legal-comments=none --banner:js='/*! $(LIT), $(LIT_HTML), BSD-3-Clause, see lit.LICENSE */' \
		--outfile=$(VENDOR)/lit.js
	@cp .data/vendor/node_modules/lit/LICENSE $(VENDOR)/lit.LICENSE
	@cp .data/vendor/node_modules/@fontsource-variable/inter/LICENSE $(VENDOR)/inter.LICENSE
	@cp .data/vendor/node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2 $(VENDOR)/inter.woff2

messages: $(STAMP)  ## brings locale/ up to date with the texts of the mails, and compiles it
	@$(BIN)/python -m tests.translations

screenshots: setup  ## the pages at phone, laptop and wide size, light and dark, into screenshots/
	@$(BIN)/python -m pytest tests/browser/screenshots.py -q -o python_files=screenshots.py

clean:  ## removes what `make run` and `make test` have made, data included
	rm -rf $(VENV) .data
