# Deep Convolutional Gaussian Mixture Models: every table and figure from one command.
#
#   snakemake                                            the small default run (config.yaml)
#   snakemake table1                                     one table or figure
#   snakemake --cores all --configfile config/cpu.yaml   another scale
from snakemake.utils import min_version

min_version("9.27")


configfile: "config.yaml"


report: "workflow/report/workflow.rst"


wildcard_constraints:
    method="[a-z0-9_]+",
    point="[^/]+",
    dataset="[a-z_]+",
    source="[a-z]+",
    classes=r"all|(not|only)\d+",
    seed=r"\d+",


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/fit.smk"
include: "workflow/rules/outliers.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/figures.smk"


rule all:
    default_target: True
    input:
        # By name, since a deleted fit below a finished table would not be missed.
        expand("{fit}/{result}", fit=outlier_fits(), result=["model", "outliers.json"]),
        rules.table1.output,
        rules.table5.output,
        rules.table6.output,
        rules.figure10.output if curve_fits() else [],


include: "workflow/rules/report.smk"
