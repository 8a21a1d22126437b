"""Tables of the suite with the few columns that a test is about."""

import io

import pandas as pd

from workflow.common import frames


def write(path, content, **how):
    """Write a table, or CSV text, as the suite does; what it does not tell is empty, or 0."""
    if isinstance(content, str):
        content = pd.read_csv(io.StringIO(content), dtype=str, keep_default_na=False)
    types = frames.TABLES[path.stem]
    zeros = {
        name: 0 for name, kind in types.items() if kind == frames.WHOLE and name not in content
    }
    frames.write_csv(path, content.assign(**zeros).reindex(columns=[*types]), **how)
