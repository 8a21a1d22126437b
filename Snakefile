# Deep Convolutional Gaussian Mixture Models: every table and figure from one command.
#
#   snakemake                                            the small default run (config.yaml)
#   snakemake table1                                     one table or figure
#   snakemake --cores all --configfile config/cpu.yaml   another scale
#   snakemake retry                                      those trainings again that failed
from snakemake.utils import min_version

min_version("9.27")


include: "workflow/rules/preflight.smk"


configfile: "config.yaml"


report: "workflow/report/workflow.rst"


wildcard_constraints:
    method="[a-z0-9_]+",
    point="[A-Za-z0-9._+=-]+",  # what workflow/plan/naming.py makes names of
    dataset="[a-z0-9_]+",
    source="[a-z]+",
    classes="all|only[0-9]+|not[0-9]+(_[0-9]+)*",
    seed="[0-9]+",
    group="[a-z0-9_]+",
    set="[a-z0-9_]+",


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/fit.smk"
include: "workflow/rules/outliers.smk"
include: "workflow/rules/density.smk"
include: "workflow/rules/samples.smk"
include: "workflow/rules/pictures.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/comparison.smk"
include: "workflow/rules/claims.smk"
include: "workflow/rules/cost.smk"


for file in sorted(Path("baselines").glob("[a-z]*/rule.smk")):  # a method's own rules

    include: str(file)


include: "workflow/rules/publish.smk"
include: "workflow/rules/run.smk"


rule all:
    default_target: True
    input:
        rules.results.input,
        rules.complete.output,


include: "workflow/rules/pages.smk"
include: "workflow/rules/cluster.smk"
