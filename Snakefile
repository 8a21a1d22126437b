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
    dataset="[a-z_]+",
    source="[a-z]+",
    classes="all|only[0-9]+|not[0-9]+(_[0-9]+)*",
    seed="[0-9]+",
    group="[a-z0-9_]+",


include: "workflow/rules/common.smk"
include: "workflow/rules/warm.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/fit.smk"
include: "workflow/rules/tasks.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/generation.smk"
include: "workflow/rules/dynamics.smk"
include: "workflow/rules/samples.smk"
include: "workflow/rules/colour.smk"
include: "workflow/rules/claims.smk"
include: "workflow/rules/comparison.smk"
include: "workflow/rules/efficiency.smk"
include: "workflow/rules/bits.smk"
include: "workflow/rules/parts.smk"


for file in sorted(Path("baselines").glob("[a-z]*/rule.smk")):  # a method's own rules

    include: str(file)


rule results:
    # Everything that a run makes, but its pages.
    input:
        parts(),
        rules.table1.output,
        rules.table2.output if METHODS[1:] else [],
        rules.table2_grid.output if METHODS[1:] else [],
        rules.competitors.output if METHODS[1:] else [],
        rules.table4.output if CLASSIFIERS else [],
        rules.outlier_classes.output if GROUPS["outlier_classes"] else [],
        rules.ablations.output if GROUPS["ablations"] else [],
        rules.table5.output,
        rules.table6.output,
        rules.figure10.output if curve_fits() else [],
        generation_figures(),
        rules.figure4.output if dynamics_runs() else [],
        sampling_results(),
        rules.figure7.output if COLOUR["dataset"] else [],
        rules.diagrams.output,
        rules.claims.output,
        rules.comparison.output,
        rules.comparison_figure.output,
        rules.statistics.output,
        rules.selection.output if METHODS[1:] else [],
        rules.efficiency.output,
        rules.bits_per_dimension.output if discrete_fits() else [],


include: "workflow/rules/complete.smk"


rule all:
    default_target: True
    input:
        rules.results.input,
        rules.complete.output,


include: "workflow/rules/report.smk"
include: "workflow/rules/front_page.smk"
include: "workflow/rules/estimate.smk"
include: "workflow/rules/cluster.smk"
