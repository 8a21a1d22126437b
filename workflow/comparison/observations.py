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
    """Both measures of the top layer of every instance of DCGMM; the fits are the same."""
    rows = _top(records[(records["method"] == "dcgmm") & (records["task"] == "outliers")])
    parts = [
        _seeds(selection.with_models(own), "I", protocol)
        for protocol, metric in MEASURES.items()
        if len(own := rows[rows["metric"] == metric])
    ]
    return _joined(parts)


def table2(records: pd.DataFrame, chosen: pd.DataFrame) -> pd.DataFrame:
    """Both measures of every chosen point, of the pixels that its protocol scores."""
    rows, parts = _top(records), []
    if rows.empty or chosen.empty:
        return _joined(parts)
    rows = selection.with_models(rows)
    for choice in chosen[chosen["n"] > 0].itertuples():
        own = rows[
            (rows["method"] == choice.method)
            & (rows["grid_point"] == choice.grid_point)
            & (rows["dataset"] == choice.dataset)
            & (rows["evidence"] == choice.evidence)
            & rows["metric"].isin(MEASURES.values())
        ]
        parts.append(_seeds(own, "II", choice.protocol))
    return _joined(parts)


def table3(judgements: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Accuracy of every judge, with noise as each release has it, and with all noise drawn."""
    judgements = list(judgements)
    if not judgements:
        return _joined([])
    rows = sample_summary.table(judgements)
    rows = rows[(rows["method"] != sample_summary.CONTROL) & (rows["status"] == "ok")]
    rows = rows[rows["class"].notna()]
    key = ["dataset", "title", "variant", "point"]
    lines = []
    for protocol, own in (
        ("paper", rows[rows["published"].astype(bool)]),
        ("corrected", rows[rows["treatment"] == CORRECTED_NOISE]),
    ):
        for values, group in own.groupby(key, sort=False, dropna=False):
            for judge, accuracy in sample_summary.accuracies(group).mean(axis=1).items():
                about = dict(zip(key, values, strict=True)) | {"table": "III", "metric": "accuracy"}
                lines.append(
                    about
                    | {"protocol": protocol, "unit": "judge", "number": judge, "value": accuracy}
                )
    return _joined([pd.DataFrame(lines, columns=COLUMNS)] if lines else [])


def table4(records: pd.DataFrame) -> pd.DataFrame:
    """Accuracy of the classifiers."""
    rows = records[(records["status"] == "ok") & (records["task"] == "classification")]
    if rows.empty:
        return _joined([])
    return _joined([_seeds(selection.with_models(rows), "IV", "paper")])


def _top(records: pd.DataFrame) -> pd.DataFrame:
    """What was measured of the top layer; the column is one of objects."""
    return records[(records["status"] == "ok") & (records["top"] == True)]  # noqa: E712


def _seeds(rows: pd.DataFrame, table: str, protocol: str) -> pd.DataFrame:
    """The records of one table and protocol as observations."""
    return rows.rename(columns={"grid_point": "point", "seed": "number"}).assign(
        table=table, protocol=protocol, unit="seed", value=100 * rows["value"]
    )


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    result = pd.concat(parts) if parts else pd.DataFrame(columns=COLUMNS)
    result = result[COLUMNS].fillna({"variant": ""})
    return result.drop_duplicates(COLUMNS[:-1]).astype({"value": float}).reset_index(drop=True)
