# make reproduce | make test | make alone | make lint | make format | make docs | make clean
# make full | make beyond | make mixtures | make deconvolution | make library: the runs that are
# published; make everything: all of them. make publish-NAME, make publish-everything.
# make judge: what is published, judged by present rules.
# make bench | make publish-bench | make faults.
# The first use creates .venv from the pinned versions.
# `make reproduce CONFIG=mine.yaml` merges mine.yaml over config.yaml.
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
PYTHON ?= python3
CORES ?= all
READY := $(VENV)/.ready

# For a missing config file Snakemake would show a traceback.
$(foreach file,$(CONFIG),$(if $(wildcard $(file)),,$(error There is no file $(file))))

export PATH := $(BIN):$(PATH)

PRESETS := full beyond mixtures deconvolution library

.PHONY: reproduce $(PRESETS) $(PRESETS:%=publish-%) everything publish-everything judge bench publish-bench faults docs test alone lint format clean
# Two runs at a time would wait for each other's lock.
.NOTPARALLEL:

reproduce: $(READY)
	snakemake --cores $(CORES) $(if $(CONFIG),--configfile $(CONFIG))

# The runs whose results are published: the paper's experiments, what goes beyond them, clustering by
# mixtures, kernels and events in recordings, and the library as it comes.
$(PRESETS): $(READY)
	snakemake --cores $(CORES) --configfile workflow/presets/$@.yaml

# Copy the small results of a run to reports/published* and into the README. Refuse results from more
# than one commit or from uncommitted code.
$(PRESETS:%=publish-%): publish-%: $(READY)
	snakemake --cores $(CORES) publish --configfile workflow/presets/$*.yaml
	PYTHONPATH=src python -m report.readme

# Judge what is published again, by the rules of the commit that is here, without a run.
judge: $(READY)
	PYTHONPATH=src python -m report.again $(patsubst %/run.json,%,$(wildcard reports/published*/run.json))
	PYTHONPATH=src python -m report.readme

everything: $(PRESETS)
publish-everything: $(PRESETS:%=publish-%)

# Benchmark the library; run on an idle machine: about 40 minutes on 2 cores, half of them one stream.
bench: $(READY)
	snakemake --cores $(CORES) bench

publish-bench: $(READY)
	snakemake --cores $(CORES) bench_publish

# Inject faults into runs and write docs/faults.md: about 26 minutes on 2 cores.
faults: $(READY)
	PYTHONPATH=src python tests/faults/run_faults.py

# The documentation site, without the internet; a warning is an error.
docs: $(READY)
	rm -rf build/docs
	sphinx-build -q -W --keep-going -b html -c docs . build/docs
	@echo "The documentation is in build/docs/index.html"

# Three processes for two cores: tests of SLURM mostly wait for it. More threads than cores wait
# asleep, or they keep each other from the core.
test: $(READY)
	OMP_WAIT_POLICY=passive pytest -n 3 --dist loadfile --no-loadscope-reorder

# Build sdist and wheel, the wheel from the sdist, and test it in a separate environment, without the
# workflow's packages: `make alone PYTHON=python3.13`.
alone:
	rm -rf build/alone build/dist
	$(PYTHON) -m venv build/alone
	build/alone/bin/pip install --quiet --disable-pip-version-check "setuptools>=77"
	mkdir -p build/dist
	build/alone/bin/python -c 'from setuptools import build_meta; build_meta.build_sdist("build/dist")' \
	    >build/dist/log
	build/alone/bin/pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir build/dist \
	    build/dist/*.tar.gz
	build/alone/bin/pip install --quiet --disable-pip-version-check \
	    --constraint envs/requirements.txt build/dist/*.whl
	cd build && alone/bin/python -I ../tests/alone.py

lint: $(READY)
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow
	snakemake --lint

format: $(READY)
	ruff check --fix .
	ruff format .
	snakefmt Snakefile workflow
	python workflow/config_reference.py > config/README.md
	mkdir -p build
	snakemake all publish bench_publish --rulegraph mermaid-js \
	    | python workflow/rule_graph.py > build/README.md
	mv build/README.md workflow/README.md

# The stamp is written last, so an interrupted installation is repeated.
$(READY): envs/requirements.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or later is needed, this is %d.%d: make PYTHON=python3.11" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -r envs/requirements.txt
	@# pip would compile on one core.
	$(BIN)/python -m compileall -q -j 0 -x '/(tests?|_internal)/' $(VENV)/lib
	touch $@

# All runs, those of the user's too; what is published, data/raw and .venv stay.
RUNS = default $(basename $(notdir $(wildcard workflow/presets/*.yaml))) $(notdir $(wildcard results/* logs/*))
clean:
	rm -rf results logs build .snakemake $(foreach run,$(filter-out published%,$(RUNS)),reports/$(run) benchmarks/$(run))
