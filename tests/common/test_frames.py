"""The suite's CSVs: what was written comes back as it was, and what was not is refused."""

import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.example_record import competitor, failed, point, record
from workflow.common import files, frames
from workflow.comparison import comparison_figure
from workflow.fit import tidy
from workflow.outliers import table1
from workflow.publish import reference

AGAIN = "remove it and run again"
STRANGE = ["nan", "NA", "None", "1e5", "007", "inf", "-0", "True", " ", "a,b", 'a"b', "ä\r\n|", "#"]


def write(path, records):
    tidy.write(path, records)
    return path


def test_text_that_looks_like_a_number_or_like_none_stays_text(tmp_path):
    records = [record(grid_point=name, reason=name, status="failed") for name in STRANGE]
    table = tidy.read(write(tmp_path / "all.csv", records))
    points = table["grid_point"].drop_duplicates()
    assert points.tolist() == table["reason"].drop_duplicates().tolist() == STRANGE
    assert table["layer"].isin(["2", "4"]).all(), "an index of layers is a name"


@pytest.mark.parametrize(
    "records",
    [[record()], [failed()], [record(), failed()], [competitor({}, components=5)], []],
    ids=["fine", "failed", "both", "no metric", "none"],
)
def test_types_are_those_declared_whatever_the_records_are(tmp_path, records):
    table = tidy.read(write(tmp_path / "all.csv", records))
    for name, kind in tidy.TYPES.items():
        assert table[name].dtype == kind, name
    assert all(table[name].dtype == "str" for name in table if name.startswith("settings."))
    assert len(table) == sum(max(1, len(one["metrics"])) for one in records)


def test_numbers_and_holes_come_back_as_they_were(tmp_path):
    table = tidy.read(write(tmp_path / "all.csv", [point("B"), failed(parameter_count=None)]))
    assert table["value"].tolist()[:-1] == [0.6, 0.59, 0.7, 0.68]
    assert table["parameter_count"].tolist()[0] == 587412
    last = table.iloc[-1]
    for name in ("value", "metric", "evidence", "layer", "top", "parameter_count"):
        assert pd.isna(last[name]), name
    assert table["top"].sum() == 2


def test_a_csv_is_what_pandas_writes(tmp_path):
    frame = pd.DataFrame({"a": [1.23456, np.nan], "b": ["x", None]})
    frames.write_csv(tmp_path / "t.csv", frame, float_format="%.2f")
    assert (tmp_path / "t.csv").read_bytes() == b"a,b\n1.23,x\n,\n"


def test_sha256sum_takes_the_seal(tmp_path):
    path = write(tmp_path / "all.csv", [record()])
    check = ["sha256sum", "-c", frames.seal_of(path).name]
    assert subprocess.run(check, cwd=tmp_path, capture_output=True).returncode == 0
    path.write_text("changed")
    assert subprocess.run(check, cwd=tmp_path, capture_output=True).returncode == 1


WOUNDS = {
    "a digit": lambda text: text.replace("0.7", "0.8", 1),
    "a row less": lambda text: text[: text.rindex("\n", 0, -1) + 1],
    "a line end": lambda text: text[:-1],
    "nothing left": lambda text: "",
    "Windows' lines": lambda text: text.replace("\n", "\r\n"),
}


@pytest.mark.parametrize("wound", WOUNDS)
def test_an_altered_csv_is_named_before_a_table_is_made_of_it(tmp_path, wound):
    path = write(tmp_path / "all.csv", [record()])
    path.write_bytes(WOUNDS[wound](path.read_text("utf-8")).encode())
    options = ["--records", str(path), "--paper", "results/reference/paper.csv", "--run", "r"]
    with pytest.raises(SystemExit, match=rf"all\.csv was altered after .*; {AGAIN}$"):
        table1.main([*options, "--schedule", "s", "--out", str(tmp_path / "tables")])
    assert not (tmp_path / "tables").exists()


def test_another_tables_seal_is_none(tmp_path):
    one, other = (write(tmp_path / name, [record()]) for name in ("one.csv", "other.csv"))
    frames.seal_of(one).write_bytes(frames.seal_of(other).read_bytes())
    with pytest.raises(ValueError, match=r"one\.csv was altered"):
        tidy.read(one)


@pytest.mark.parametrize("before", [False, True])
def test_a_writer_killed_before_the_seal_leaves_nothing_that_is_read(tmp_path, monkeypatch, before):
    path = tmp_path / "all.csv"
    if before:
        write(path, [failed()])
    whole = files.replacing

    def killed(path):
        if Path(path).name.startswith("."):
            raise KeyboardInterrupt
        return whole(path)

    monkeypatch.setattr(files, "replacing", killed)
    with pytest.raises(KeyboardInterrupt):
        write(path, [record()])
    monkeypatch.undo()
    with pytest.raises(ValueError, match=rf"all\.csv .*; {AGAIN}$"):
        tidy.read(path)
    assert len(tidy.read(write(path, [record()]))) == 4, "the mend helps"


def test_a_sealed_csv_of_another_kind_is_refused(tmp_path):
    for content, reason in (
        ({"table": ["I"]}, r"lacks the columns row, column, paper,"),
        ({name: ["x"] for name in frames.TABLES["comparison"]}, "is damaged"),
    ):
        frames.write_csv(tmp_path / "comparison.csv", pd.DataFrame(content))
        arguments = ["--comparison", str(tmp_path / "comparison.csv"), "--out", str(tmp_path)]
        with pytest.raises(SystemExit, match=rf"comparison\.csv {reason}.*; {AGAIN}$"):
            comparison_figure.main(arguments)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "damaged"),
        ("table,row,column,value,spread,n\nI,A,mnist,1,1,5\n", "lacks the columns source_line"),
        ("table,row,column,value,spread,n,source_line\nI,A,mnist,x,1,5,1\n", "damaged"),
        ("table,row,column,value,spread,n,source_line\nI,A,mnist,nan,1,5,1\n", "damaged"),
        ("table,row,column,value,spread,n,source_line\nI,A,mnist,1,1,5.5,1\n", "damaged"),
        ("table,row,column,value,spread,n,source_line\nI,A,mnist,1,1,5,1,9\n", "damaged"),
        ("table,row,column,value,spread,n,source_line\nI,\xe4,mnist,1,1,5,1\n", "damaged"),
    ],
)
def test_numbers_typed_in_need_no_seal_but_have_to_be_whole(tmp_path, text, reason):
    path = tmp_path / "paper.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=rf"paper\.csv (is )?{reason}.*; correct it, or restore"):
        frames.read_paper(path)


def published_tables():
    folder = reference.load().folder
    return [path for path in sorted(folder.rglob("*.csv")) if path.stem in frames.TABLES]


@pytest.mark.parametrize("path", published_tables(), ids=lambda path: path.stem)
def test_published_tables_are_sealed_and_as_declared(path):
    assert [*frames.read_table(path)] == [*frames.TABLES[path.stem]]


def test_published_records_are_sealed():
    assert len(tidy.read(reference.load().folder / "all_runs.csv")) > 100
