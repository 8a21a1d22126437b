"""Single values behind the tables: one for every seed of a model, or every judge of its samples.

A long table with the columns of `COLUMNS`; areas and accuracies are in percent.
"""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from workflow.comparison.paper_cells import CORRECTED_NOISE
from workflow.outliers import selection
from workflow.samples import sample_summary

COLUMNS = [
    "table", "dataset", "protocol", "title", "variant", "point", "metric", "unit", "number", "value"
]  # fmt: skip
MEASURES = {"paper": "auc100", "corrected": "auroc"}  # of outlier detection


def table1(records: pd.DataFrame) -> pd.DataFrame:
    """Both measures of the top layer of every DCGMM instance; the fits are the same."""
    rows = _top_layer(records[(records["method"] == "dcgmm") & (records["task"] == "outliers")])
    parts = [
        _seed_values(selection.with_models(measured), "I", protocol)
        for protocol, metric in MEASURES.items()
        if len(measured := rows[rows["metric"] == metric])
    ]
    return _joined(parts)


def table2(records: pd.DataFrame, choices: pd.DataFrame) -> pd.DataFrame:
    """Both measures of every chosen point, on the pixels that its protocol scores."""
    rows, parts = _top_layer(records), []
    if rows.empty or choices.empty:
        return _joined(parts)
    rows = selection.with_models(rows)
    for choice in choices[choices["n"] > 0].itertuples():
        measured = rows[
            (rows["method"] == choice.method)
            & (rows["grid_point"] == choice.grid_point)
            & (rows["dataset"] == choice.dataset)
            & (rows["evidence"] == choice.evidence)
            & rows["metric"].isin(MEASURES.values())
        ]
        parts.append(_seed_values(measured, "II", choice.protocol))
    return _joined(parts)


def table3(judgements: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Accuracy of every judge, with the noise of each release and with full noise."""
    judgements = list(judgements)
    if not judgements:
        return _joined([])
    rows = sample_summary.table(judgements)
    rows = rows[(rows["method"] != sample_summary.CONTROL) & (rows["status"] == "ok")]
    rows = rows[rows["class"].notna()]

    # One value for each model and judge, averaged over the seeds of the samples.
    key = ["dataset", "title", "variant", "point"]
    lines = []
    for protocol, drawn in (
        ("paper", rows[rows["published"].astype(bool)]),
        ("corrected", rows[rows["treatment"] == CORRECTED_NOISE]),
    ):
        for values, group in drawn.groupby(key, sort=False, dropna=False):
            for judge, accuracy in sample_summary.accuracies(group).mean(axis=1).items():
                labels = dict(zip(key, values, strict=True)) | {
                    "table": "III",
                    "metric": "accuracy",
                }
                lines.append(
                    labels
                    | {"protocol": protocol, "unit": "judge", "number": judge, "value": accuracy}
                )
    return _joined([pd.DataFrame(lines, columns=COLUMNS)] if lines else [])


def table4(records: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy of the classifiers."""
    rows = records[(records["status"] == "ok") & (records["task"] == "classification")]
    if rows.empty:
        return _joined([])
    return _joined([_seed_values(selection.with_models(rows), "IV", "paper")])


def _top_layer(records: pd.DataFrame) -> pd.DataFrame:
    """Measurements of the top layer; `top` is a column of objects."""
    return records[(records["status"] == "ok") & (records["top"] == True)]  # noqa: E712


def _seed_values(rows: pd.DataFrame, table: str, protocol: str) -> pd.DataFrame:
    """Convert the records of one table and protocol to observations."""
    return rows.rename(columns={"grid_point": "point", "seed": "number"}).assign(
        table=table, protocol=protocol, unit="seed", value=100 * rows["value"]
    )


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Join observations, each once."""
    result = pd.concat(parts) if parts else pd.DataFrame(columns=COLUMNS)
    result = result[COLUMNS].fillna({"variant": ""})
    return result.drop_duplicates(COLUMNS[:-1]).astype({"value": float}).reset_index(drop=True)
