"""`config/README.md`: what every key of the configuration means, from its schema."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workflow.common import files
from workflow.common.command_line import plain_errors
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

A value that does not fit is refused before anything runs, with its place and what would be right.

| key | value | default | meaning |
|---|---|---|---|
"""


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argparse.ArgumentParser(
        prog="python -m workflow.plan.config_docs", description=__doc__
    )
    parser.add_argument("--out", required=True, type=Path, help="Markdown to write")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        files.write_text(options.out, documentation(config.schema()))


def documentation(schema: dict[str, Any]) -> str:
    """The whole page."""
    lines = "\n".join(_rows(schema, ""))
    return INTRODUCTION.format(description=schema["description"]) + lines + "\n"


def _rows(schema: dict[str, Any], prefix: str) -> Iterator[str]:
    for name, rule in schema["properties"].items():
        nested = "properties" in rule
        default = "" if nested else f"`{json.dumps(rule['default'])}`"
        yield f"| `{prefix}{name}` | {_allowed(rule)} | {default} | {rule['description'].strip()} |"
        if nested:
            yield from _rows(rule, f"{prefix}{name}.")
        elif "properties" in (each := rule.get("additionalProperties", {})):
            yield from _rows(each, f"{prefix}{name}.<name>.")


def _allowed(rule: dict[str, Any]) -> str:
    """Which values a key takes, in words."""
    if "enum" in rule:
        return " or ".join(f"`{value}`" for value in rule["enum"])
    if rule["type"] == "array":
        several = ", none twice" if rule.get("uniqueItems") else ""
        return f"list of: {_allowed(rule['items'])}{several}"
    if "expects" in rule:
        return rule["expects"]
    names = {"object": "mapping", "string": "name", "boolean": "`true` or `false`"}
    text = names.get(rule["type"], "number")
    if "minimum" in rule:
        text = f"whole number from {rule['minimum']}"
    return f"{text} to {rule['maximum']}" if "maximum" in rule else text


if __name__ == "__main__":
    main()
