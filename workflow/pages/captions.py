"""Captions of `workflow/report/*.rst`, as Snakemake's report shows them: Jinja, then reST."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
from docutils.core import publish_parts
from markupsafe import Markup

# Captions quote the configuration, which must not include files or raw HTML by that.
_SAFE = {"file_insertion_enabled": False, "raw_enabled": False, "report_level": 5}


def html(path: Path, config: dict[str, Any]) -> Markup:
    """A caption as HTML.

    Args:
        path: of the `.rst`.
        config: the merged configuration, which the caption sees as `snakemake.config`.

    Raises:
        ValueError: if it names what the configuration lacks.
    """
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    try:
        template = environment.from_string(path.read_text("utf-8"))
        text = template.render(snakemake=SimpleNamespace(config=config))
    except jinja2.TemplateError as error:
        raise ValueError(f"{path}: {error}") from None
    return Markup(publish_parts(text, writer="html5", settings_overrides=_SAFE)["body"])
