"""Faults that can be read off the rules: by Snakemake's own check, and unquoted text in a shell."""

import ast
import re
from collections.abc import Iterator
from io import StringIO
from types import SimpleNamespace

import pytest
from snakemake.parser import parse

from tests.workflow.conftest import ROOT

# Why each is left as it is.
ACCEPTED = {
    "Specify a conda environment or container for each rule.": "workflow/run/in_env.sh has them",
    "Mixed rules and functions in same snakefile.": "functions stand beside the rules they serve",
}
# Why a run of everything does without them.
UNTRIED = {
    "results": "a name for what `all` needs",
    "estimate": "runs nothing; tests/workflow/test_estimate.py",
    "retry": "is for fits that failed; tests/workflow/test_failures.py",
    "compare": "needs a run like the published one; tests/comparison/test_reproduction.py",
    "outlier_classes": "costs fits without other classes; tests/workflow/test_without_a_class.py",
    "ablations": "costs fits of other recipes; tests/workflow/test_without_a_class.py",
    "further_set": "of tasks that need files; tests/workflow/test_further_sets.py",
    "further_scores": "the same",
    "bits_per_dimension": "of optional methods alone; tests/density/test_bits_per_dimension.py",
}
RULE_FILES = [
    ROOT / "Snakefile",
    *sorted(ROOT.glob("workflow/rules/*.smk")),
    *sorted(ROOT.glob("baselines/*/rule.smk")),
]
# What only a shell or a message of a rule is filled with.
OF_JOBS = {"input", "output", "params", "log", "wildcards", "resources", "threads"}
SHOWN = "message"


def unquoted(rules: str) -> list[str]:
    """The placeholders without `:q` in what is, or may become a part of, a rule's shell."""
    file = SimpleNamespace(
        get_path_or_uri=lambda secret_free: "rules",
        workflow=SimpleNamespace(sourcecache=SimpleNamespace(open=lambda _: StringIO(rules))),
    )
    python, _ = parse(file, file.workflow, {})
    return [*dict.fromkeys(_unquoted(ast.parse(python), in_shell=False))]


def _unquoted(node: ast.AST, in_shell: bool) -> Iterator[str]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr == SHOWN:
            return
        in_shell = in_shell or node.func.attr in ("shellcmd", "shell")
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        for name in re.findall(r"(?<!\{)\{([^{}]+)\}(?!\})", node.value):
            of_jobs = re.split(r"\W", name)[0] in OF_JOBS
            if (in_shell or of_jobs) and not name.endswith(":q"):
                yield f"{{{name}}}"
    for child in ast.iter_child_nodes(node):
        yield from _unquoted(child, in_shell)


@pytest.mark.parametrize("path", RULE_FILES, ids=lambda path: path.name)
def test_whatever_reaches_a_shell_is_quoted(path):
    assert unquoted(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("shell", "found"),
    [
        ('"run {input} {output:q}"', ["{input}"]),
        ('"run {params.way}"', ["{params.way}"]),
        (
            '"run {input[0]} "\n        "{wildcards.point:>9}"',
            ["{input[0]}", "{wildcards.point:>9}"],
        ),
        ('f"run {RUN} {{log}} {{output:q}}"', ["{log}"]),
        ('begun(" > {log}")', ["{log}"]),
        ('"run {RUN}"', ["{RUN}"]),
        ('BEGUN + "run {output:q}"', []),
        ("\"run {input:q} {params.way:q} {wildcards.point:q} | awk '{{print $1}}' > {log:q}\"", []),
    ],
)
def test_what_is_not_quoted_is_found(shell, found):
    rule = 'rule it:\n    input: "{x}"\n    output: "{y}"\n    message: "{output} {wildcards.y}"\n'
    assert unquoted(f"{rule}    shell:\n        {shell}\n") == found


def test_what_becomes_a_part_of_a_shell_is_found():
    assert unquoted('def ends(out):\n    return f"{out} > {{log}}"\n') == ["{log}"]
    assert unquoted('BEGUN = "run {params.way} "\nFIT = f"{RUN}/fit/{{seed}}"\n') == [
        "{params.way}"
    ]


def test_snakemake_finds_no_fault(project):
    found = project.ask("--lint", "--workflow-profile", "none", overlay="config/cpu.yaml")
    place, faults = "", []
    for line in (found.stdout + found.stderr).splitlines():
        if line.startswith("Lints for "):
            place = line.removeprefix("Lints for ")
        elif match := re.match(r"    \* (.+):$", line):
            faults.append((match[1], place))
    assert {title for title, _ in faults} >= {*ACCEPTED}, found.stdout + found.stderr
    assert [fault for fault in faults if fault[0] not in ACCEPTED] == []


def test_every_rule_is_exercised_by_the_demo(project):
    listed = project.ask("--list-rules", overlay="config.yaml")
    rules = {*re.findall(r"^(\w+)$", listed.stdout, re.MULTILINE)}
    planned = {*project.plan("all", "report", "front_page", overlay="config.yaml")}
    assert {"fit", "estimate"} <= rules, listed.stdout
    assert planned | UNTRIED.keys() == rules
    assert not planned & UNTRIED.keys()
