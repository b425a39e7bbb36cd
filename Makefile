# porefail: `make` alone lists what there is to type.
PYTHON = python3
IN_VENV = PATH="$(CURDIR)/.venv/bin:$$PATH" OMP_NUM_THREADS=1 TF_CPP_MIN_LOG_LEVEL=2
SNAKEMAKE = $(IN_VENV) snakemake --configfile $(CONFIG)

.PHONY: help setup demo smoke scan-demo study reproduction locators workflow test test-slurm slurm-packages docs check quick bench clean

help:
	@echo "make demo    set up, run the whole workflow with config/default.yaml, write the report"
	@echo "make scan-demo  a scan in, a verdict out: of a phantom whose failure is known"
	@echo "make smoke   the same with config/smoke.yaml: about a minute after set-up"
	@echo "make study   set up, compare labels, weightings, networks, baselines; about two hours"
	@echo "make reproduction  every number of the paper beside ours; three hours on two cores"
	@echo "make locators  what scans are judged by, made anew from known failures"
	@echo "make test    set up, check the sources, run every test"
	@echo "make test-slurm  (root, Debian) install Slurm, run the workflow on a cluster of one node"
	@echo "make quick   set up, check the sources, run the tests that take seconds"
	@echo "make bench   set up, compare speed with other programs; half an hour, BENCH=--small: a minute"
	@echo "make docs    write anew what docs/ takes from elsewhere: keys, tables, figures, rule graph"
	@echo "make setup   the environment .venv alone (the others run it; nothing to do the second time)"
	@echo "make clean   remove results/; .venv stays"

# A .venv that is active now must not be used to make itself anew.
setup: export PATH := $(subst $(CURDIR)/.venv/bin:,,$(value PATH))
setup:
	@command -v $(PYTHON) > /dev/null || { \
	    echo "porefail: error: no $(PYTHON) (Debian: apt install python3-venv python3-dev)" >&2; exit 1; }; \
	exec $(PYTHON) envs/install.py

demo: CONFIG = config/default.yaml
smoke: CONFIG = config/smoke.yaml
# Make and Snakemake inherit the lock as file 9. A run that is still at work, even without its make,
# is waited for; what it finished is not repeated.
demo smoke: setup
	@exec 9>> .run.lock; \
	flock -n 9; case $$? in 0) ;; \
	1) read number run < .run.lock; \
	    echo "porefail: $${run:-another run} (process $${number:-unknown}) is still at work in" \
	        "this folder: waiting for it"; \
	    flock 9 || exit ;; \
	*) echo "porefail: this file system has no locks: start no second run in this folder" ;; esac; \
	$(MAKE) --no-print-directory workflow CONFIG=$(CONFIG) RUN=$@

# Who holds .run.lock empties it at its end. If it is not empty now, the former run was killed, and
# the lock that Snakemake left in the folder is stale.
workflow:
	@[ ! -s .run.lock ] || $(SNAKEMAKE) --unlock
	@echo "$$PPID make $(RUN)" > .run.lock
	@$(SNAKEMAKE) --rerun-incomplete
	@results=results/$$($(IN_VENV) python -c "import sys, yaml; \
	    print((yaml.safe_load(open(sys.argv[1])) or {}).get('name', 'default'))" $(CONFIG)); \
	$(SNAKEMAKE) --report $$results/report.html && \
	: > .run.lock && cat $$results/report/summary.txt && \
	echo "The report, with pictures: $$results/report.html"

# One specimen of the paper's size is simulated, scanned by a phantom, and judged from the scan.
scan-demo: DEMO = results/scan-demo
scan-demo: setup
	@$(IN_VENV) snakemake --configfile config/scan-demo.yaml -- $(DEMO)/simulation/00000-00000.h5
	@$(IN_VENV) python -m porefail phantom --porosity $(DEMO)/simulation/00000-00000.h5 \
	    --realization 0 --voxel-size 12um --output $(DEMO)/scan.tif > $(DEMO)/phantom.txt
	@$(IN_VENV) python -m porefail scan $(DEMO)/scan.tif --axis z --output $(DEMO)/verdict
	@cat $(DEMO)/phantom.txt

# Other specimens first, on which the study tests what it has learnt.
study: setup
	@for name in larger sparse porous; do \
	    $(IN_VENV) snakemake --configfile config/$$name.yaml -- results/$$name/ensemble.h5 || exit; \
	done
	@$(IN_VENV) snakemake study --configfile config/study.yaml config/transfer.yaml && \
	    cat results/study/study/summary.txt

# The mechanics to collapse first, which simulates for the longest.
reproduction: setup
	@$(IN_VENV) snakemake phenomenology --configfile config/collapse.yaml && \
	$(IN_VENV) snakemake reproduction --configfile config/paper.yaml config/reproduction.yaml \
	    --config reproduction='{collapse: collapse}' && \
	cat results/reproduction/reproduction/reproduction.md

# Locators like those that ship, which are left as they are; a table of how they do on specimens that
# chose nothing. A training that was ended goes on. Calibrated by realizations that are in no part:
# of the validation part, which chose what is learnt and blocks, probabilities would say too much.
LOCATORS = results/locators
PORES = "superposed_log_von_mises", "superposed_log_largest_von_mises", "superposed_triaxiality", \
    "superposed_largest_pressure", "superposed_lode"
ELASTIC = "log_von_mises", "triaxiality", "log_largest_von_mises", "lode"
COARSE = $(ELASTIC), "log_coarse_damage"
calibrate = $(IN_VENV) python -m porefail calibrate --ensemble $(LOCATORS)/ensemble.h5 \
    --output $(LOCATORS)/$(1).json --scores $(LOCATORS)/$(1)_scores.csv \
    --sites $(LOCATORS)/$(1)_sites.csv --sets $(LOCATORS)/$(1)_sets.csv \
    --figure $(LOCATORS)/$(1).png --checkpoint $(LOCATORS)/$(1).npz --scanned 12um \
    --submodels 4 --calibrate-from 1500 --settings \
    '{"seed": 2022, "split": [5, 2, 3], "penalty": 0.1, "coverage": 0.9, \
    "penalties": [1e-4, 1e-3, 1e-2], "channels": [$(2)], \
    "network": {"filters": 16, "epochs": 100, "batch_size": 16, "learning_rate": 5e-4}}'
locators: setup
	@$(IN_VENV) snakemake --configfile config/paper.yaml config/locators.yaml -- \
	    $(LOCATORS)/ensemble.h5
	@$(call calibrate,pores,$(PORES))
	@$(call calibrate,elastic,$(ELASTIC))
	@$(call calibrate,coarse,$(COARSE))
	@$(IN_VENV) python tests/bench/locators.py $(foreach each,pores elastic coarse, \
	    $(LOCATORS)/$(each).json=$(LOCATORS)/$(each)_scores.csv) > $(LOCATORS)/locators.part && \
	mv $(LOCATORS)/locators.part $(LOCATORS)/locators.csv && cat $(LOCATORS)/locators.csv
	@$(IN_VENV) python tests/bench/locator_sets.py $(foreach each,pores elastic coarse, \
	    $(each)=$(LOCATORS)/$(each)_sets.csv) > $(LOCATORS)/sets.part && \
	mv $(LOCATORS)/sets.part $(LOCATORS)/sets.csv && cat $(LOCATORS)/sets.csv

# The tests on a real Slurm have time limits of their own: nothing else runs beside them.
test: check
	@$(IN_VENV) pytest --numprocesses 2 --dist loadfile --ignore tests/cluster
	@$(IN_VENV) pytest tests/cluster

# The daemons run in a temporary folder on loopback ports; nothing in /etc is touched.
test-slurm: setup
	@[ "$$(id -u)" = 0 ] || { echo "porefail: error: make test-slurm needs root" >&2; exit 1; }
	@$(PYTHON) tests/cluster/slurm_cluster.py missing || $(MAKE) --no-print-directory slurm-packages
	@$(IN_VENV) POREFAIL_TEST_SLURM=1 pytest tests/cluster

slurm-packages:
	@DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
	    $$($(PYTHON) tests/cluster/slurm_cluster.py packages)

quick: check
	@$(IN_VENV) pytest -m "not slow"

bench: setup
	@$(IN_VENV) python tests/bench/peers.py $(BENCH)
	@$(IN_VENV) python tests/bench/roofline.py
	@$(IN_VENV) python tests/bench/simulation.py $(BENCH)
	@$(IN_VENV) python tests/bench/scaling.py $(BENCH)
	@$(IN_VENV) python tests/bench/elastic.py $(BENCH)
	@$(IN_VENV) python tests/bench/training.py $(BENCH)

# The rule graph without colours that mean nothing.
docs: setup
	@$(IN_VENV) python docs/write.py
	@$(IN_VENV) python docs/draw.py
	@$(IN_VENV) PYTHONHASHSEED=0 snakemake --quiet all --rulegraph mermaid-js | \
	    grep -e '^flowchart' -e 'id[0-9]*\[' -e '-->' > .graph && \
	sed -i -e '/^```mermaid$$/,/^```$$/{/^```/!d}' -e '/^```mermaid$$/r .graph' docs/workflow.md && \
	rm -f .graph

check: setup
	@$(IN_VENV) ruff check .
	@$(IN_VENV) ruff format --check .
	@$(IN_VENV) snakefmt --check Snakefile workflow
	@$(IN_VENV) lint-imports
	@$(IN_VENV) snakemake --lint

clean:
	rm -rf results
