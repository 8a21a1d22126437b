"""CSV tables of the suite: sealed when written, with declared columns and types when read.

Beside `table1.csv` lies its seal `.table1.csv.sha256`, for `sha256sum -c` too. Columns and types
are declared, not inferred, so a table has them even if all of its fits failed; text stays text,
even if it looks like a number or a missing value.
"""

import hashlib
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from workflow.common import files

Types = Mapping[str, str]
"""Column -> its type; unnamed columns hold text."""

TEXT, NUMBER, FLAG = "str", "float64", "boolean"
WHOLE, COUNT = "int64", "Int64"  # a count may be missing

_KINDS = {
    WHOLE: "failed seed seeds",
    COUNT: "agreeing candidates cases centroids classes_failed compared corrected_n does_not_hold "
    "epochs folding_layer holds images index inliers judges line measured n n_reference "
    "not_checkable not_run outlier outliers pairs paper_line paper_n paper_parameters paper_rank "
    "parameter_count parameters protocols seeds_asked train_images undecided "
    "undecided_at_this_scale",
    FLAG: "agrees base best bootstrap paper_agrees top",
    NUMBER: "accuracy accuracy_whole after ahead auc auroc before bootstrap_high bootstrap_low "
    "ci_high ci_low classes_mean classes_range classes_std corrected corrected_difference "
    "corrected_difference_high corrected_difference_low corrected_high corrected_low "
    "corrected_std difference difference_high difference_low difference_of_gain diversity "
    "effect effect_independent effect_paired epoch estimate_hours estimate_memory_gb "
    "exact frechet half_width high improved joint kept late_gain layerwise loss low "
    "margin mean median memory_mb mse optimism ours ours_high ours_low ours_std own_step "
    "p p_holm paper paper_effect paper_spread precision published_mean published_std "
    "radius rank rank_sum_p recall rejected sample_1000 score_1000 seconds_cpu "
    "seconds_fit seconds_score signed_rank_p squared_distance standard_error std "
    "std_judges std_seeds step test_ci_high test_ci_low test_high test_low test_mean "
    "test_std threshold tolerance validation_ci_high validation_ci_low validation_mean "
    "validation_std value",
}
_TYPES = {name: kind for kind, names in _KINDS.items() for name in names.split()}

_SUMMARY = "n mean std ci_low ci_high"
PAPERS = ("paper", "paper_spread", "difference", "best")  # columns added to our summary
_PAPERS = " ".join(PAPERS)
_TABLE1 = f"instance recipe dataset epochs seeds failed reasons layer top metric {_SUMMARY}"
_GRID = (
    "method title variant grid_point dataset seeds failed reasons parameters train_images "
    f"seconds_fit memory_mb estimate_memory_gb estimate_hours evidence metric {_SUMMARY}"
)
_DRAWN = "dataset method title variant point treatment"
_CASE = (
    "id statement section line relation margin unit because evidence case one rival effect ci_low "
    "ci_high n agrees paper_effect paper_agrees verdict reason remark"
)
_FIT = "title point dataset classes seed status published"
_FIGURE4 = "instance recipe dataset source epochs seed"
_STATISTICS = "n mean std low high bootstrap_low bootstrap_high"
_PROTOCOL = "dataset outlier evidence measure recipe choice"
_SHARPENED = f"{_FIT} folding_layer before after images improved"

# Name of the file -> its columns, in the order of the file.
_COLUMNS = {
    "table1": f"{_TABLE1} {_PAPERS}",
    "table1_layers": f"{_TABLE1} {_PAPERS}",
    "outlier_classes": f"dataset instance recipe outlier seeds failed reasons {_SUMMARY} "
    "classes_mean classes_std classes_range best",
    "ablations": f"dataset instance point changed base seeds failed reasons metric {_SUMMARY} "
    "pairs difference low high best",
    "table2": f"protocol {_GRID} candidates {_PAPERS}",
    "table2_grid": _GRID,
    "table2_effects": _GRID,
    "table3": f"{_DRAWN} published mean std_judges std_seeds judges seeds seeds_asked classes "
    "classes_failed images compared parameters centroids train_images diversity frechet precision "
    "recall reasons paper paper_spread paper_parameters difference best",
    "table3_classes": f"{_DRAWN} class accuracy std_judges diversity frechet precision recall "
    "images reasons",
    "table4": "title instance recipe dataset layers inputs epochs parameters seeds failed reasons "
    f"{_SUMMARY} {_PAPERS}",
    "table5": "instance recipe layers centroids all published note",
    "comparison": "table row column paper paper_spread paper_n paper_line metric exact point n "
    "ours ours_std ours_low ours_high difference difference_low difference_high agreement p "
    "corrected_point corrected_n corrected corrected_std corrected_low corrected_high "
    "corrected_difference corrected_difference_low corrected_difference_high corrected_agreement "
    "note p_holm run source schedule",
    "claims": f"{_CASE} cases holds does_not_hold undecided undecided_at_this_scale not_run "
    "not_checkable measured agreeing",
    "claims_cases": _CASE,
    "efficiency": "method title variant grid_point dataset classes seeds train_images parameters n "
    "seconds_fit score_1000 seconds_cpu memory_mb sample_1000 host",
    "bits_per_dimension": "title variant grid_point dataset train_images parameters seconds_fit "
    "seeds n reasons test_mean test_std test_ci_low test_ci_high validation_mean validation_std "
    "validation_ci_low validation_ci_high",
    "selection": "protocol method variant dataset title metric evidence point note "
    f"{_SUMMARY} rule candidates optimism",
    "multiverse": "dataset first second protocols ahead low median high paper paper_rank "
    "paper_agrees",
    "multiverse_protocols": f"first second {_PROTOCOL} difference paper",
    "multiverse_values": f"{_PROTOCOL} title seed value",
    "statistics": f"table dataset protocol title variant point quantity metric {_STATISTICS} "
    "reference n_reference test p p_holm",
    "figure4": f"{_FIGURE4} scheme status layer step own_step loss learning",
    "figure4_ends": f"{_FIGURE4} layer joint layerwise difference difference_of_gain late_gain",
    "detection_curves": "instance recipe dataset seed status layer top step epoch radius auroc "
    "paper",
    "figure5": _SHARPENED,
    "figure9": _SHARPENED,
    "figure7": "dataset source shown classes model kind seed images squared_distance",
    "figure8": "title point dataset classes seed filled mse standard_error images accuracy "
    "accuracy_whole",
    "figure10": "instance recipe dataset seed status curve auc threshold kept rejected",
    "reproduction": "task method grid_point dataset classes metric evidence layer n mean "
    "published_n published_mean published_std difference tolerance verdict settings",
    "detection": "dataset classes task distance method title variant grid_point protocol score "
    f"evidence inliers outliers measure seeds {_SUMMARY} test_low test_high best reasons",
    "critical_difference": "dataset task model value rank protocol",
}
# Columns whose type differs from that in the other tables.
_OWN = {
    "table3": {"published": FLAG, "classes": COUNT},
    "table5": {"all": COUNT, "published": COUNT},
    "detection_curves": {"layer": COUNT},
    "figure7": {"seed": COUNT},  # real images have none
    "multiverse_protocols": {"outlier": TEXT, "paper": FLAG},  # outlier: a class or a task
    "multiverse_values": {"outlier": TEXT},
}
PAPER: Types = {
    "table": TEXT, "row": TEXT, "column": TEXT, "value": NUMBER, "spread": NUMBER, "n": COUNT,
    "source_line": COUNT,
}  # fmt: skip
INPAINTING: Types = {"layers": WHOLE, "milliseconds": NUMBER}


def types(names: Iterable[str]) -> dict[str, str]:
    """Types of columns, which nearly all tables share."""
    return {name: _TYPES.get(name, TEXT) for name in names}


TABLES: dict[str, Types] = {
    table: types(names.split()) | _OWN.get(table, {}) for table, names in _COLUMNS.items()
}
"""Name of the file -> its columns and their types."""


def from_rows(
    rows: Iterable[Mapping[str, Any]], table: str, *, without: Sequence[str] = ()
) -> pd.DataFrame:
    """Make a table of rows; without rows, it has its declared columns.

    Args:
        rows: mappings from column to value.
        table: a name of `TABLES`.
        without: columns that are added later.
    """
    rows = list(rows)
    return pd.DataFrame(rows) if rows else empty(TABLES[table]).drop(columns=list(without))


def empty(columns: Types) -> pd.DataFrame:
    """Make a table without rows."""
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})


def seal_of(path: Path) -> Path:
    """Path of a CSV's seal."""
    return path.with_name(f".{path.name}.sha256")


def write_csv(path: Path, frame: pd.DataFrame, float_format: str | None = None) -> None:
    """Write a table and its seal, each atomically, unless unchanged."""
    text = frame.to_csv(index=False, float_format=float_format)
    files.update_text(path, text)
    files.update_text(seal_of(path), _seal(path, text.encode()))


def read_csv(path: Path, columns: Types) -> pd.DataFrame:
    """Read a table that `write_csv` wrote; empty fields are missing values.

    Args:
        path: of the CSV.
        columns: required columns, with their types.

    Raises:
        ValueError: if it has no seal, was altered, is damaged or lacks columns; names the file.
        FileNotFoundError: if the file does not exist.
    """
    content = path.read_bytes()
    try:
        seal = seal_of(path).read_bytes()
    except FileNotFoundError:
        raise ValueError(
            f"{path} has no seal, so it may be incomplete; remove it and run again"
        ) from None
    if seal != _seal(path, content).encode():
        raise ValueError(f"{path} was altered after it was written; remove it and run again")
    return _parsed(path, content, columns, "remove it and run again")


def read_table(path: Path) -> pd.DataFrame:
    """Read a table of the suite, with the columns declared for its name."""
    return read_csv(path, TABLES[path.stem])


def read_typed_in(path: Path, columns: Types) -> pd.DataFrame:
    """Read a CSV that people maintain, such as the paper's numbers, hence without a seal.

    Raises:
        ValueError: if it is damaged or lacks columns; names the file.
    """
    return _parsed(path, path.read_bytes(), columns, "correct it, or restore it from git")


def read_paper(path: Path) -> pd.DataFrame:
    """Read the paper's numbers.

    Raises:
        ValueError: if the file is damaged or lacks columns; names it.
    """
    return read_typed_in(path, PAPER)


def _seal(path: Path, content: bytes) -> str:
    return f"{hashlib.sha256(content).hexdigest()}  {path.name}\n"


def _parsed(path: Path, content: bytes, columns: Types, remedy: str) -> pd.DataFrame:
    """Parse a CSV with declared columns; an error ends with the remedy."""
    types = defaultdict(lambda: TEXT, columns)
    try:
        frame = pd.read_csv(
            io.StringIO(content.decode()), dtype=types, keep_default_na=False, na_values=[""]
        )
    except (ValueError, TypeError, OverflowError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path} is damaged ({reason}); {remedy}") from None
    frame = frame.astype({name: types[name] for name in frame})  # for a table without rows
    if not isinstance(frame.index, pd.RangeIndex):
        raise ValueError(f"{path} is damaged (rows are longer than its first line); {remedy}")
    if missing := [name for name in columns if name not in frame]:
        raise ValueError(f"{path} lacks the columns {', '.join(missing)}; {remedy}")
    return frame
