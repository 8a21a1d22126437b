# Results made from the published records, by the same rules as a run's.

if FROM_ARCHIVE:

    ruleorder: published_file > judge
    ruleorder: published_file > judgements
    ruleorder: published_file > figure4
    ruleorder: published_file > sharpened
    ruleorder: published_file > figure8

    rule published_file:
        # Files that are published unchanged: judges, and the numbers of figures.
        input:
            f"{PUBLISHED}/{{file}}",
        output:
            f"{RUN}/{{file}}",
        wildcard_constraints:
            file="judges/.+[.]json|figures/[.]?figure.+[.]csv(.sha256)?",
        message:
            "published: {output}"
        shell:
            "cp -p {input:q} {output:q}"


def published():
    """Outputs that can be made from the records published so far."""
    figures = expand(f"{RUN}/figures/{{name}}.csv", name=contents.figures(Path(PUBLISHED)))
    seals = [f"{Path(file).parent}/.{Path(file).name}.sha256" for file in figures]
    return [
        *seals,
        *expand(f"{RUN}/records/{{group}}.csv", group=filter(GROUPS.get, table_fits.WHOLE)),
        rules.table1.output if GROUPS["table1"] else [],
        rules.outlier_classes.output if GROUPS["outlier_classes"] else [],
        rules.ablations.output if GROUPS["ablations"] else [],
        rules.table2.output if COMPARED["table2"] else [],
        rules.table3.output if judges() else [],
        [*rules.detection.output, *rules.multiverse.output] if Path(BANK).is_dir() else [],
        rules.table4.output if CLASSIFIERS else [],
        rules.table5.output,
        rules.comparison.output,
        rules.comparison_figure.output,
        rules.efficiency.output,
        rules.statistics.output,
        rules.claims.output,
    ]
