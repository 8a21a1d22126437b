# Everything from a fresh clone; needs python3 >= 3.11 and a package index.
# More for Snakemake: make SNAKEMAKE_ARGS="--configfile config/cpu.yaml"
# More for pytest:    make test PYTEST_ARGS="-k folding"

IN_ENV := workflow/run/in_env.sh
SNAKEMAKE = $(IN_ENV) workflow snakemake $(TARGETS) $(SNAKEMAKE_ARGS)
PYTEST = python -m pytest $(PYTEST_ARGS)
# A folder a room, which run in the suite's environment; the model's run in both of its own.
SUITE_TESTS = $(filter $(patsubst workflow/%/,tests/%,$(wildcard workflow/*/)),$(wildcard tests/*)) \
  tests/workflow
MODEL_TESTS = tests/dcgmm
# Optional methods are tested when they are named: make test-contract METHODS=circuit
METHODS = dcgmm $(notdir $(patsubst %/method.toml,%, \
  $(shell grep -L '^optional = true' baselines/*/method.toml)))
SNAKEFILES = Snakefile workflow/rules
LOCKS = $(patsubst %.in,%.lock,$(wildcard envs/*.in))
TORCH_LOCKS = $(patsubst %.in,%.lock,$(shell grep -l '^torch' envs/*.in))

.PHONY: all retry reference publish test test-model test-jax test-suite test-judge test-einet test-contract soak test-slurm lint format report docs locks clean

all:
	$(SNAKEMAKE)

report: TARGETS = all report front_page
report: all

# Makes the published results as far as they are missing, for as long as it is left running; Ctrl-C
# loses nothing that is done. make reference REFERENCE_ARGS="--seeds 0"
reference:
	$(IN_ENV) workflow python -m workflow.publish.make_reference $(REFERENCE_ARGS)
	$(MAKE) publish

# Tables of what is published so far, also in the README; data and models are not needed.
publish:
	$(IN_ENV) workflow python -m workflow.publish.publish
	$(IN_ENV) workflow python -m workflow.publish.readme_tables

# Those trainings again that failed, diverged, ran out of time or were refused.
retry: TARGETS = retry
retry: all

# Side by side, since each of them runs on one core.
test:
	$(MAKE) --jobs 2 test-suite test-model test-jax test-judge test-einet test-contract

test-model:
	$(IN_ENV) tensorflow $(PYTEST) $(MODEL_TESTS)

test-jax:
	$(IN_ENV) jax $(PYTEST) $(MODEL_TESTS)

# The judge imports the suite and Keras, which one environment alone has.
test-judge:
	$(IN_ENV) tensorflow $(PYTEST) tests/judge

test-einet:
	$(IN_ENV) torch $(PYTEST) tests/baselines/einet

test-suite:
	$(IN_ENV) workflow $(PYTEST) $(SUITE_TESTS)

# The contract, and a method's own tests, each in its environment: make test-contract METHODS=gmm
test-contract: $(addprefix contract-,$(METHODS))

contract-%:
	$(IN_ENV) $(or $(shell sed -n 's/^environment = "\([^"]*\)".*/\1/p' baselines/$*/method.toml \
	  2>/dev/null),tensorflow) $(PYTEST) --method $* tests/contract $(wildcard tests/baselines/$*)

# A run that is killed 20 times must end as one that is not, and no damaged file may be read; many
# minutes, so not among the tests.
soak:
	$(IN_ENV) workflow python -m tests.soak.fuzz
	$(IN_ENV) workflow python -m tests.soak.kill_and_resume $(SOAK_ARGS)

# Skips where Slurm is not installed; starts and stops one of its own where it is.
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

# Newest versions that envs/*.in allow, for every platform, with hashes; needs uv.
locks: $(LOCKS)

envs/%.lock: envs/%.in FORCE
	uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes \
	  $(addprefix --override ,$(wildcard envs/$*.override)) \
	  --no-header --no-annotate --no-config --output-file $@ $<

# torch's builds for CPU and for CUDA differ in what they need, so these locks leave that open.
$(TORCH_LOCKS): envs/%.lock: envs/%.in FORCE
	uv pip compile --quiet --universal --python-version 3.11 --upgrade --no-header --no-annotate \
	  --no-config $< | grep -vE '^(nvidia|cuda|triton)' | sed -E 's/^(torch==[^ +;]+).*/\1/' | uniq > $@

FORCE:

# What is quickly made again: neither the results of runs nor the downloads in data/.
clean:
	rm -rf envs/.venv .snakemake results/data .pytest_cache .ruff_cache .hypothesis
