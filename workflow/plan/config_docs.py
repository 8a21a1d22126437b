"""Write `config/README.md`, which documents every key of the configuration, from its schema."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workflow.common import files
from workflow.common.command_line import argument_parser, plain_errors
from workflow.plan import config

INTRODUCTION = """\
# Configuration

<!-- Generated from workflow/schemas/config.schema.yaml by `make docs`; edit that instead. -->

{description}

| file | scale |
|---|---|
| `config.yaml` | the default: shipped images, few epochs, no network, minutes |
| `config/cpu.yaml` | the published datasets on a machine without a GPU |
| `config/paper.yaml` | the paper's protocol, whole, on a GPU |
| `config/published.yaml` | no scale: tables of the published records, for `make publish` |

An invalid value is refused before anything runs; the message names its place and a valid one.

| key | value | default | meaning |
|---|---|---|---|
"""


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--out", required=True, type=Path, help="Markdown to write")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        files.write_text(options.out, documentation(config.schema()))


def documentation(schema: dict[str, Any]) -> str:
    """Format the whole page."""
    lines = "\n".join(_rows(schema, ""))
    return INTRODUCTION.format(description=schema["description"]) + lines + "\n"


def _rows(schema: dict[str, Any], prefix: str) -> Iterator[str]:
    """Rows of the table, those of nested keys below their own."""
    for name, rule in schema["properties"].items():
        nested = "properties" in rule
        default = f"`{json.dumps(rule['default'])}`" if "default" in rule and not nested else ""
        yield f"| `{prefix}{name}` | {_allowed(rule)} | {default} | {rule['description'].strip()} |"
        if nested:
            yield from _rows(rule, f"{prefix}{name}.")
        elif "properties" in (entries := rule.get("additionalProperties", {})):
            yield from _rows(entries, f"{prefix}{name}.<name>.")


def _allowed(rule: dict[str, Any]) -> str:
    """Describe the values of a key in words."""
    if "enum" in rule:
        return " or ".join(f"`{value}`" for value in rule["enum"])
    if rule["type"] == "array":
        unique = ", none twice" if rule.get("uniqueItems") else ""
        return f"list of: {_allowed(rule['items'])}{unique}"
    if "expects" in rule:
        return rule["expects"]
    names = {"object": "mapping", "string": "name", "boolean": "`true` or `false`"}
    kind = names.get(rule["type"], "number")
    if "minimum" in rule:
        kind = f"whole number from {rule['minimum']}"
    return f"{kind} to {rule['maximum']}" if "maximum" in rule else kind


if __name__ == "__main__":
    main()
