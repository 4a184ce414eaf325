# make count   count MNIST networks: sets everything up, needs Python >= 3.11 and make only
# make test    set up for development and run the tests; test-all adds the slow ones,
#              test-agreement those that compare methods on many networks
# make lint    style, types, layers
# make mutants    plant the faults of tests/mutants, each must fail its test; mutants-all: all fast tests
# make train   train the networks of data/ again
# make sweep-small   a part of the MNIST sweep with a report: about two minutes
# make sweep   the whole sweep; it goes on where it was stopped: hours
# make bench   measure speeds
# make docs    the documentation as a site in build/site; strict
# make dist    wheel and sdist in dist/; test-dist installs each in a fresh environment
# make test-lowest   the fast tests on the lowest supported versions of the dependencies
# make clean   forget what was set up

# The first of these that is new enough; `make PYTHON=... count` to choose.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$p && exit; done; echo python3)
VENV ?= .venv
BUDGET ?= 110
WORKERS ?= 2
ARGS ?=
RUN := $(VENV)/bin/python

.PHONY: help count test test-all test-agreement mutants mutants-all warm lint train sweep-small sweep bench docs dist \
	test-dist test-lowest clean

help:
	@sed -n 's/^# \(make\|    \)/\1/p' Makefile

count: $(VENV)/.core
	@$(RUN) -m experiments.count_mnist --budget $(BUDGET) $(ARGS)

test: $(VENV)/.dev warm
	$(RUN) -m pytest -n $(WORKERS) -m "not slow" $(ARGS)

test-all: $(VENV)/.dev warm
	$(RUN) -m pytest -n $(WORKERS) $(ARGS)

test-agreement: $(VENV)/.dev warm
	$(RUN) -m pytest -n $(WORKERS) -m slow tests/agreement $(ARGS)

mutants: $(VENV)/.dev warm
	$(RUN) -m tests.mutants.run --workers $(WORKERS) $(ARGS)

# Hours: every fault that is planted in the kernel is compiled.
mutants-all: $(VENV)/.dev warm
	$(RUN) -m tests.mutants.run --suite --workers $(WORKERS) $(ARGS)

# The kernel is compiled once, here, instead of by every worker at the same time.
warm: $(VENV)/.dev
	@$(RUN) -m milpcount warm-up

lint: $(VENV)/.dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

train: $(VENV)/.dev
	$(RUN) -m experiments.train $(or $(ARGS),--out data --epochs 20)

sweep-small: $(VENV)/.plot
	@mkdir -p build
	$(RUN) -m milpcount sweep experiments/mnist22-small.toml --workers $(WORKERS) \
		--store build/mnist22-small.jsonl --report build/mnist22-small.html $(ARGS)
	$(RUN) -m experiments.check_store build/mnist22-small.jsonl

sweep: $(VENV)/.plot
	$(RUN) -m milpcount sweep experiments/mnist22.toml --workers $(WORKERS) \
		--report experiments/results/mnist22.html $(ARGS)
	$(RUN) -m experiments.check_store experiments/results/mnist22.jsonl
	$(RUN) -m experiments.figures

bench: $(VENV)/.dev
	$(RUN) -m experiments.benchmarks $(ARGS)
	$(RUN) -m experiments.benchmarks.few_inputs
	$(RUN) -m experiments.benchmarks.unbounded
	$(RUN) -m experiments.speedup

docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 PYTHONPATH=. $(VENV)/docs/bin/python -m mkdocs build --strict --quiet
	@$(RUN) -m experiments.check_site build/site
	@echo "build/site/index.html; to search in it, serve it: python -m http.server -d build/site"

dist: $(VENV)/.dev
	$(RUN) -m build --outdir dist .

test-dist: $(VENV)/.dev
	MILPCOUNT_DIST=1 $(RUN) -m pytest -n 0 -m slow tests/packaging $(ARGS)

# All extras but torch, whose plain wheels bring gigabytes of GPU libraries. Of these versions Python
# 3.11 has wheels; a Python that is newer than they are has none.
LOWEST := onnx,sklearn,omlt,exact,plot,plotly,parquet,scip,cbc,gurobi,cplex,dask,vnnlib
test-lowest: $(VENV)/.lowest warm-lowest
	$(VENV)/lowest/bin/python -m pytest -n $(WORKERS) -m "not slow" -W default $(ARGS)

warm-lowest: $(VENV)/.lowest
	@$(VENV)/lowest/bin/python -m milpcount warm-up

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find milpcount experiments tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: what they stand for is done once, and again when the dependencies change.

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "milpcount needs Python 3.11 or newer; $(PYTHON) is" \
			"$$(command -v $(PYTHON) >/dev/null && $(PYTHON) --version || echo not there):" \
			"name one with 'make PYTHON=/path/to/python3 ...'" >&2; exit 1; }
	@test -x $(RUN) || { echo "setting up $(VENV) with $(PYTHON)"; $(PYTHON) -m venv $(VENV); }
	@touch $@

$(VENV)/.core: $(VENV)/.made pyproject.toml
	@echo "installing milpcount and its libraries into $(VENV): once, about a minute"
	@$(RUN) -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.plot: $(VENV)/.core
	@$(RUN) -m pip install --quiet --disable-pip-version-check --editable '.[plot]'
	@touch $@

# Environments of their own: the site's generator needs no solvers, and old versions clash with new.
$(VENV)/.docs: $(VENV)/.made pyproject.toml
	@echo "installing what makes the site into $(VENV)/docs: once, about a minute"
	@test -x $(VENV)/docs/bin/python || $(PYTHON) -m venv $(VENV)/docs
	@$(VENV)/docs/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@

$(VENV)/.lowest: $(VENV)/.made pyproject.toml experiments/lowest.py
	@echo "installing the lowest versions into $(VENV)/lowest: once, a few minutes"
	@test -x $(VENV)/lowest/bin/python || $(PYTHON) -m venv $(VENV)/lowest
	@$(VENV)/lowest/bin/python -m experiments.lowest > $(VENV)/lowest/constraints.txt
	@$(VENV)/lowest/bin/python -m pip install --quiet --disable-pip-version-check \
		--constraint $(VENV)/lowest/constraints.txt --editable '.[$(LOWEST)]' 'click>=8.2' \
		pytest hypothesis pytest-timeout pytest-xdist
	@touch $@

$(VENV)/.dev: $(VENV)/.made pyproject.toml
	@echo "installing the development tools into $(VENV): once, a few minutes"
	@$(RUN) -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.core $(VENV)/.plot
