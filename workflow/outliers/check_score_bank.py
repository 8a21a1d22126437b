"""Recompute every detection number from the score bank alone, and fail if one differs.

These are the measures in the records of the bank's fits, and the whole table of detection.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from workflow.common import frames, metrics
from workflow.common.command_line import argument_parser, plain_errors
from workflow.data import tasks, test_sets
from workflow.fit import tidy
from workflow.outliers import detection, score_bank
from workflow.outliers.score_bank import Entry, Images

FIT = ["method", "grid_point", "dataset", "classes", "seed"]
MEASURED = [*FIT, "evidence", "layer", "metric"]
TOLERANCE = 1e-9  # of values in [0, 1], which differ by rounding at most
ROW = ["dataset", "classes", "task", "method", "grid_point", "score", "evidence", "measure"]
PRINTED = 1e-4  # of percent in the table


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--bank", required=True, type=Path, help="folder of the score bank")
    parser.add_argument("--records", required=True, nargs="+", type=Path, help="tidy CSVs")
    parser.add_argument("--detection", required=True, type=Path, help="detection.csv")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        images, entries = score_bank.load(options.bank)
        if not entries:
            raise ValueError(f"{options.bank} holds no scores: name the folder of a score bank")
        n_measures = check_records(tidy.read_all(options.records), entries, images)
        n_rows = check_table(options.detection, entries, images)
    print(
        f"{options.bank}: {n_measures} measures of records and {n_rows} rows of "
        f"{options.detection} come out again"
    )


def check_records(
    records: pd.DataFrame, entries: Iterable[Entry], images: dict[str, Images]
) -> int:
    """Compare the measures of the bank's fits with those of their records; return their number.

    Raises:
        ValueError: for the first that differs or that the bank lacks.
    """
    rows = records[(records["task"] == "outliers") & records["metric"].isin([*metrics.METRICS])]
    recorded = rows.drop_duplicates(MEASURED).set_index(MEASURED)["value"]
    of_fit = recorded.groupby(level=FIT).indices
    compared = 0
    for entry in entries:
        for fit, measures in recomputed(entry, images[entry.metadata["dataset"]]):
            expected = recorded.iloc[of_fit[fit]] if fit in of_fit else {}
            for (*_, evidence, layer, name), value in expected.items() if len(expected) else ():
                ours = measures.get((evidence, layer, name))
                where = f"{name} of {'/'.join(map(str, fit))}, {evidence}, layer {layer}"
                if ours is None:
                    raise ValueError(f"the bank lacks the scores of {where}")
                if abs(ours - value) > TOLERANCE:
                    raise ValueError(f"{where} is {value} in the record, by the bank {ours}")
                compared += 1
    return compared


def recomputed(
    entry: Entry, images: Images
) -> Iterator[tuple[tuple, dict[tuple[str, str, str], float]]]:
    """Measures of each fit of an entry in the task `outliers`, by evidence, layer and measure."""
    task, own = tasks.table()["outliers"], test_sets.OWN_IMAGES
    labels, classes = images.labels[own], entry.metadata["classes"]
    if not task.suits(entry.metadata["dataset"], classes):
        return
    inlier, outlier = (side.mask(labels, classes) for side in (task.inliers, task.outliers))
    for row, seed in enumerate(entry.seeds):
        measures = {
            (evidence, layer, name): measure(values[row][inlier], values[row][outlier])
            for (set_name, evidence, layer), values in entry.scores.items()
            if set_name == own and str(seed) not in entry.metadata["reasons"]
            for name, measure in metrics.METRICS.items()
        }
        yield (*(entry.metadata[key] for key in FIT[:-1]), seed), measures


def check_table(path: Path, entries: Sequence[Entry], images: dict[str, Images]) -> int:
    """Compare a table of detection with one computed from a bank; return the number of rows.

    A task that is none of the suite is the user's, whose outliers are a set of its name.

    Raises:
        ValueError: for the first row that is missing or differs.
    """
    theirs = frames.read_csv(path, frames.TABLES["detection"])
    named = dict.fromkeys(theirs["task"])
    added = {name: {"outliers": name} for name in named if name not in tasks.table()}
    of_run = tasks.of_run({name: {} for name in named} | added)
    ours = detection.of_entries(images, entries, [of_run[name] for name in named])
    ours, theirs = (table.fillna({"grid_point": ""}).set_index(ROW) for table in (ours, theirs))
    for key in ours.index.symmetric_difference(theirs.index):
        raise ValueError(f"{path}: {'/'.join(key)} is in the table or the bank alone")
    for name in ("n", "mean", "std", "ci_low", "ci_high", "test_low", "test_high"):
        one, other = ours[name].astype(float), theirs[name].reindex(ours.index).astype(float)
        differs = ~((one - other).abs() <= PRINTED) & ~(one.isna() & other.isna())
        for key in ours.index[differs]:
            raise ValueError(
                f"{path}: {name} of {'/'.join(key)} is {other[key]}, by the bank {one[key]}"
            )
    return len(ours)


if __name__ == "__main__":
    main()
