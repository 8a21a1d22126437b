"""Start a method of your own: create a folder of `baselines/` that runs, for you to change.

`python -m workflow.plan.new_baseline NAME` copies `baselines/gaussian`, the shortest method, under
your names. `docs/adding-a-baseline.md` continues from there.
"""

import keyword
import re
import shutil
from pathlib import Path

import yaml

from workflow.common.command_line import argument_parser, plain_errors
from workflow.plan import catalogue

SOURCE = "gaussian"
COPIED = ("__init__.py", "model.py", "method.toml", "params.schema.yaml")
SCHEMA = Path(__file__).parents[1] / "schemas" / "config.schema.yaml"

README = """\
# {title}

CHANGE: a paragraph on what the method is, and whether its log-density is exact.

| setting | default | meaning |
|---|---|---|
| `minimum_variance` | 0.001 | what a smaller variance is raised to; pixels lie in [0, 1] |

## What to know
- Parameters: CHANGE: the formula.
- Scores: CHANGE: what they are a density of, what `capabilities` lack, and why.
- CHANGE: where this differs from the published code, and what a user must expect.

Environment: `envs/workflow`. References: `CITATION.bib`.
"""

CITATION = """\
@article{{{name},
  title   = {{{title}}},
  author  = {{CHANGE}},
  journal = {{CHANGE}},
  year    = {{CHANGE}}
}}
"""

NEXT = """\
baselines/{name} is a working method, for now a Gaussian per pixel. Change it, then:

  make test-contract METHODS={name}
  make TARGETS=table2 SNAKEMAKE_ARGS="--config 'baselines={{{name}: {{}}}}'"
  less results/demo/tables/table2.md

docs/adding-a-baseline.md explains each step."""


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("name", help="of the folder: lower-case letters, digits and _")
    parser.add_argument("--title", help="name in tables; derived from the folder's by default")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        check_name(options.name)
        title = check_title(options.title or options.name.replace("_", " ").capitalize())
        create(options.name, title)
    print(NEXT.format(name=options.name))


def check_name(name: str) -> None:
    """Refuse a name that cannot be a Python package, a folder and a key of the configuration.

    Raises:
        ValueError: says why, and what would be right.
    """
    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        raise ValueError(
            f"{name!r} cannot be a method's name: use lower-case letters, digits and _, beginning "
            "with a letter, as in 'my_flow'"
        )
    if keyword.iskeyword(name):
        raise ValueError(f"{name!r} is a keyword of Python: choose another name")
    if name in configuration_words():
        raise ValueError(f"{name!r} is a key of the configuration: choose another name")
    folder = catalogue.FOLDER / name
    if folder.exists() or folder.with_suffix(".py").exists():
        raise ValueError(
            f"baselines/{name} exists already: choose another name, or remove it first"
        )


def check_title(title: str) -> str:
    """Return the title if it can stand in tables and files.

    Raises:
        ValueError: if it is empty or has a character that needs escaping.
    """
    if not re.fullmatch(r"[\w .()+-]+", title):
        raise ValueError(f"the title {title!r} may only have letters, digits, blanks and .()+-")
    return title


def configuration_words() -> set[str]:
    """Top-level keys of the configuration, such as `dcgmm`, and those of a method."""
    properties = yaml.safe_load(SCHEMA.read_text("utf-8"))["properties"]
    return {*properties, *properties["baselines"]["additionalProperties"]["properties"]}


def create(name: str, title: str) -> None:
    """Write the folder, completely or not at all."""
    class_name = "".join(word.capitalize() for word in name.split("_"))
    replacements = {"GaussianPixels": class_name, "Gaussian pixels": title, SOURCE: name}
    part = catalogue.FOLDER / f".{name}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    for file in COPIED:
        text = (catalogue.FOLDER / SOURCE / file).read_text("utf-8")
        pattern = "|".join(rf"\b{word}\b" for word in replacements)
        (part / file).write_text(
            re.sub(pattern, lambda match: replacements[match[0]], text), "utf-8"
        )
    (part / "README.md").write_text(README.format(title=title), "utf-8")
    (part / "CITATION.bib").write_text(CITATION.format(name=name, title=title), "utf-8")
    part.rename(catalogue.FOLDER / name)


if __name__ == "__main__":
    main()
