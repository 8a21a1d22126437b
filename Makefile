# Everything from a fresh clone; needs python3 >= 3.11 and a package index.
# Arguments for Snakemake: make SNAKEMAKE_ARGS="--configfile config/cpu.yaml"
# Arguments for pytest:    make test PYTEST_ARGS="-k folding"

IN_ENV := workflow/run/in_env.sh
SNAKEMAKE = $(IN_ENV) workflow snakemake $(TARGETS) $(SNAKEMAKE_ARGS)
PYTEST = python -m pytest $(PYTEST_ARGS)
# One folder per folder of workflow/, in its environment.
SUITE_TESTS = $(filter $(patsubst workflow/%/,tests/%,$(wildcard workflow/*/)),$(wildcard tests/*))
MODEL_TESTS = tests/dcgmm
# All of the model's tests run on TensorFlow, and on JAX those that a backend decides; all on JAX:
# make test-jax JAX_TESTS=
JAX_TESTS = -m backend
# Those of tests/workflow that need the tiny run finished, made once, and the others.
TINY_TESTS = $(patsubst %,tests/workflow/test_%.py,run estimate further_sets together without_a_class)
OTHER_TESTS = $(filter-out $(TINY_TESTS),$(wildcard tests/workflow/test_*.py))
# Optional methods are tested only by name: make test-contract METHODS=circuit
METHODS = dcgmm $(notdir $(patsubst %/method.toml,%, \
  $(shell grep -L '^optional = true' baselines/*/method.toml)))
SNAKEFILES = Snakefile workflow/rules
LOCKS = $(patsubst %.in,%.lock,$(wildcard envs/*.in))
TORCH_LOCKS = $(patsubst %.in,%.lock,$(shell grep -l '^torch' envs/*.in))

.PHONY: all retry reference publish check-scores test test-model test-jax test-suite test-tiny test-workflow test-judge test-einet test-contract soak test-slurm lint format report docs locks clean

all:
	$(SNAKEMAKE)

report: TARGETS = all report front_page
report: all

# Make the missing published results; resumes after Ctrl-C without losing finished ones.
# make reference REFERENCE_ARGS="--seeds 0"
reference:
	$(IN_ENV) workflow python -m workflow.publish.make_reference $(REFERENCE_ARGS)
	$(MAKE) publish

# Tables, also in the README, and front page of what is published so far; needs neither data nor models.
publish:
	$(IN_ENV) workflow python -m workflow.publish.publish
	$(IN_ENV) workflow python -m workflow.publish.readme_tables

# Recompute every detection number of a run from its scores alone; fails if one differs.
# Of the published results: make check-scores RUN=results/reference/1
RUN = results/demo
check-scores:
	$(IN_ENV) workflow python -m workflow.outliers.check_score_bank --bank $(RUN)/scores \
	  --records $(wildcard $(addprefix $(RUN)/,records/table[12].csv records/outlier_classes.csv all_runs.csv)) \
	  --detection $(RUN)/tables/detection.csv

# Repeat the trainings that failed, diverged, ran out of time or were refused.
retry: TARGETS = retry
retry: all

# Side by side on two cores, the longest first.
test:
	$(MAKE) --jobs 2 test-tiny test-model test-workflow test-jax test-suite test-contract test-judge \
	  test-einet

test-model:
	$(IN_ENV) tensorflow $(PYTEST) $(MODEL_TESTS)

test-jax:
	$(IN_ENV) jax $(PYTEST) $(JAX_TESTS) $(MODEL_TESTS)

# The judge imports the suite and Keras, which only this environment has.
test-judge:
	$(IN_ENV) tensorflow $(PYTEST) tests/judge

test-einet:
	$(IN_ENV) torch $(PYTEST) tests/baselines/einet

test-suite:
	$(IN_ENV) workflow $(PYTEST) $(SUITE_TESTS)

test-tiny:
	$(IN_ENV) workflow $(PYTEST) $(TINY_TESTS)

test-workflow:
	$(IN_ENV) workflow $(PYTEST) $(OTHER_TESTS)

# The contract and each method's own tests, in its environment: make test-contract METHODS=gmm
test-contract: $(addprefix contract-,$(METHODS))

contract-%:
	$(IN_ENV) $(or $(shell sed -n 's/^environment = "\([^"]*\)".*/\1/p' baselines/$*/method.toml \
	  2>/dev/null),tensorflow) $(PYTEST) --method $* tests/contract $(wildcard tests/baselines/$*)

# A run killed 20 times must end like an undisturbed one, and no damaged file may be read. Takes many
# minutes, so not among the tests.
soak:
	$(IN_ENV) workflow python -m tests.soak.fuzz
	$(IN_ENV) workflow python -m tests.soak.kill_and_resume $(SOAK_ARGS)

# Starts and stops a Slurm of its own; skips if Slurm is not installed.
test-slurm:
	tests/slurm/run.sh

lint:
	$(IN_ENV) workflow ruff check .
	$(IN_ENV) workflow ruff format --check .
	$(IN_ENV) workflow snakefmt --line-length 100 --check $(SNAKEFILES)

format:
	$(IN_ENV) workflow ruff check --fix .
	$(IN_ENV) workflow ruff format .
	$(IN_ENV) workflow snakefmt --line-length 100 $(SNAKEFILES)

docs:
	$(IN_ENV) workflow python -m workflow.plan.config_docs --out config/README.md

# Lock the newest versions that envs/*.in allow, for all platforms, with hashes; needs uv.
locks: $(LOCKS)

envs/%.lock: envs/%.in FORCE
	uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes \
	  $(addprefix --override ,$(wildcard envs/$*.override)) \
	  --no-header --no-annotate --no-config --output-file $@ $<

# torch's builds for CPU and CUDA differ in their dependencies, so these locks leave those open.
$(TORCH_LOCKS): envs/%.lock: envs/%.in FORCE
	uv pip compile --quiet --universal --python-version 3.11 --upgrade --no-header --no-annotate \
	  --no-config $< | grep -vE '^(nvidia|cuda|triton)' | sed -E 's/^(torch==[^ +;]+).*/\1/' | uniq > $@

FORCE:

# Remove what is quickly rebuilt: neither results of runs nor downloads in data/.
clean:
	rm -rf envs/.venv .snakemake results/data .pytest_cache .ruff_cache .hypothesis
