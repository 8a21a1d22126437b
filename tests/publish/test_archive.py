"""Published records: nothing that has a result is replaced, and nothing strange gets in."""

import json
import multiprocessing
import shutil

import numpy as np
import pandas as pd
import pytest

from tests import example_table
from tests.example_record import failed, fit_of, point, record
from workflow.common import files
from workflow.fit import scores
from workflow.plan import grid
from workflow.publish import archive, collect, readme_tables, reference

CONFIG_FILE = "config/cpu.yaml"


LABELS = np.repeat([0, 1], 10)  # an outlier and an inlier of the fits below, ten times each
BEATEN = 7  # outliers that score below all inliers


def put(run, *made):
    """Fits and their scores where a run has them; the area under the curve is 0.7."""
    top = np.where(LABELS == 1, 0.5, np.arange(20) >= BEATEN)
    test = {"test": {"all": {"2": np.zeros(20), "4": top}}}
    for one in made:
        folder, fit = run / "fit" / archive.key(one)[1].folder, fit_of(one)
        files.write_json(folder / "fit.json", fit)
        scores.write(folder / "scores.npz", fit, LABELS, test)


def test_the_archive_takes_what_was_measured_of_a_fit(tmp_path, target):
    put(tmp_path, planned(target, "B-paper"))
    collect.collect(tmp_path, target)
    (record,) = archive.read(target.folder).values()
    assert record["counts"] == {"inliers": 10, "outliers": 10}
    exact = {m["layer"]: m["value"] for m in record["metrics"] if m["metric"] == "auroc"}
    assert exact == pytest.approx({"2": 0.5, "4": 0.7})
    (folder,) = (tmp_path / "fit").glob("*/*/*/*/seed0")
    (folder / "scores.npz").write_bytes(b"")
    assert "0 of them new" in collect.collect(tmp_path, target), "it is not measured again"
    for name in (archive.RECORDS, archive.TABLE):
        (target.folder / name).unlink()
    with pytest.raises(ValueError, match=r"seed0/scores\.npz is damaged"):
        collect.collect(tmp_path, target)


def planned(target, name, **changes):
    """A record of a DCGMM grid point with the settings that the plan has for it."""
    settings = grid.points("dcgmm", target.config)[name]["settings"]
    base = point(settings["instance"], recipe=settings["recipe"])
    return base | {
        "settings": json.loads(json.dumps(settings)),
        "dataset": base["dataset"] | {"source": "full", "train_images": 54000},
        **changes,
    }


@pytest.fixture
def target(tmp_path):
    """The published plan, writing to an empty folder."""
    return reference.load()._replace(folder=tmp_path / "published")


def test_a_result_is_never_replaced():
    first, second = record(parameter_count=1), record(parameter_count=2)
    published = archive.merged({}, [first])
    assert archive.merged(published, [second]) == published


@pytest.mark.parametrize(("status", "kept"), [("failed", False), ("timeout", False),
                                              ("diverged", True), ("refused", True)])  # fmt: skip
def test_what_a_second_try_may_mend_is_replaced(status, kept):
    published = archive.merged({}, [failed(status=status)])
    after = archive.merged(published, [record()])
    assert (next(iter(after.values()))["status"] == status) is kept


def test_records_come_back_without_their_history(tmp_path):
    made = [record(seed=1, history={"loss": [[1.0]]}), record(seed=0)]
    archive.write(tmp_path, archive.merged({}, made))
    back = archive.read(tmp_path)
    assert list(back.values()) == [record(seed=0), record(seed=1)]
    table = pd.read_csv(tmp_path / archive.TABLE)
    assert table["seed"].tolist() == [0] * 4 + [1] * 4
    assert table["value"].tolist() == 2 * [0.6, 0.59, 0.7, 0.68]


def line_of(**changes):
    """A line of the file: a record with its seal."""
    return json.dumps(files.sealed(record() | changes))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"method": "dcgmm"', "line 2 is damaged"),
        ("[]", "line 2 is damaged"),
        (json.dumps(record()), "line 2 is damaged .it was altered"),
        (line_of(seed=1).replace("0.68", "0.86"), "line 2 is damaged .it was altered"),
        (line_of(seed=1).replace("0.68", "NaN"), "line 2 is damaged .NaN is not a JSON number"),
        (line_of(seed=-1), "line 2 is not a valid record: at seed"),
        (line_of(), "line 2 is a second record of outliers of dcgmm/B-paper/mnist"),
    ],
)
def test_damage_names_the_line(tmp_path, line, says):
    files.write_text(tmp_path / archive.RECORDS, f"{line_of()}\n{line}\n")
    with pytest.raises(ValueError, match=says):
        archive.read(tmp_path)


def test_records_that_are_lost_are_missed(tmp_path):
    archive.write(tmp_path, archive.merged({}, [record(seed=seed) for seed in range(3)]))
    path = tmp_path / archive.RECORDS
    whole = path.read_text()
    for left, lost in ((2, 1), (0, 3)):
        path.write_text("".join(whole.splitlines(keepends=True)[:left]))
        with pytest.raises(ValueError, match=rf"lacks {lost} records that all_runs\.csv has"):
            archive.read(tmp_path)
    path.unlink()
    with pytest.raises(ValueError, match="lacks 3 records"):
        archive.read(tmp_path)
    path.write_text(whole)
    assert len(archive.read(tmp_path)) == 3


def test_collecting_twice_adds_once(tmp_path, target):
    run = tmp_path / "run"
    put(run, planned(target, "B-paper"))
    files.write_json(run / "judges/mnist/seed0/judgements.json", judgements())
    assert "1 of them new; 1 other files added" in collect.collect(run, target)
    before = {path: path.stat().st_mtime_ns for path in target.folder.rglob("*.*")}
    assert "0 of them new; 0 other files added" in collect.collect(run, target)
    assert before == {path: path.stat().st_mtime_ns for path in target.folder.rglob("*.*")}


def judgements(*points, accuracy=0.99):
    about = {"method": "dcgmm", "title": "DCGMM-A", "variant": "", "seed": 0, "treatment": "recipe"}
    rows = [about | {"point": point, "class": str(c)} for point in points for c in range(2)]
    return {"judge": {"seed": 0, "accuracy": {"test": accuracy}}, "rows": rows}


def test_a_judge_adds_what_it_says_of_more_samples(tmp_path, target, capsys):
    path, name = tmp_path / "run/judges/mnist/seed0/judgements.json", "judges/mnist/seed0"
    published = target.folder / name / "judgements.json"
    files.write_json(path, judgements("A-paper"))
    collect.collect(tmp_path / "run", target)
    files.write_json(path, judgements("B-paper", "A-paper"))
    assert "1 other files added" in collect.collect(tmp_path / "run", target)
    points = [row["point"] for row in files.read_json(published)["rows"]]
    assert points == ["A-paper"] * 2 + ["B-paper"] * 2
    assert "0 other files added" in collect.collect(tmp_path / "run", target)

    files.write_json(path, judgements("E-paper", accuracy=0.98))
    assert "0 other files added" in collect.collect(tmp_path / "run", target)
    assert "of another judge" in capsys.readouterr().out


def test_the_table_is_made_anew_after_a_stop_between_the_two_files(tmp_path, target):
    put(tmp_path, planned(target, "B-paper"))
    collect.collect(tmp_path, target)
    table = target.folder / archive.TABLE
    whole = table.read_bytes()
    for left in (b"", b"an older table", None):
        table.unlink() if left is None else table.write_bytes(left)
        assert "1 records, 0 of them new" in collect.collect(tmp_path, target)
        assert table.read_bytes() == whole


def test_two_that_collect_at_once_lose_nothing(tmp_path, target):
    runs = [tmp_path / str(number) for number in range(4)]
    for seed, run in enumerate(runs):
        put(run, planned(target, "B-paper", seed=seed))
    start, context = multiprocessing.Barrier(len(runs)), multiprocessing.get_context("fork")
    several = [context.Process(target=collected, args=(start, run, target)) for run in runs]
    for process in several:
        process.start()
    for process in several:
        process.join()
    assert [key[1].seed for key in archive.read(target.folder)] == [0, 1, 2, 3]
    assert pd.read_csv(target.folder / archive.TABLE)["seed"].nunique() == 4


def collected(start, run, target):
    """Collect a run when all others are about to."""
    start.wait()
    collect.collect(run, target)


def test_a_record_of_another_seed_is_not_collected(tmp_path, target):
    put(tmp_path, planned(target, "B-paper"))
    (folder,) = (tmp_path / "fit").glob("*/*/*/*/seed0")
    shutil.copytree(folder, folder.with_name("seed1"))
    with pytest.raises(ValueError, match=r"seed1/fit\.json is of seed 0, but its place"):
        collect.collect(tmp_path, target)


def test_other_settings_than_the_plans_are_refused(tmp_path, target):
    put(tmp_path, point("B"))  # of a short run on the subset
    with pytest.raises(ValueError, match=r"hyperparameters\.epochs, source"):
        collect.collect(tmp_path, target)
    assert not target.folder.exists()


def test_figures_of_other_settings_are_refused_when_all_fits_are_published(tmp_path, target):
    put(tmp_path / "full", planned(target, "B-paper"))
    collect.collect(tmp_path / "full", target)
    put(tmp_path / "short", point("B"))
    files.write_text(tmp_path / "short/figures/figure8.csv", "mse\n1\n")
    with pytest.raises(ValueError, match=r"seed0/fit\.json was made with other settings"):
        collect.collect(tmp_path / "short", target)
    assert not (target.folder / "figures").exists()
    with pytest.raises(SystemExit, match="nowhere is not the folder of a run"):
        collect.main(["--run", str(tmp_path / "nowhere")])


def test_what_the_plan_does_not_ask_for_is_left(tmp_path, target):
    put(tmp_path, planned(target, "B-paper", seed=7))
    assert "0 records" in collect.collect(tmp_path, target)


def test_what_is_published_is_not_made_again(tmp_path, target):
    stage = target.stages[0]
    targets = reference.missing(target, stage, 0, {})
    assert len(targets) == 14  # seven instances, two datasets
    put(tmp_path, planned(target, "B-paper"))
    collect.collect(tmp_path, target)
    left = reference.missing(target, stage, 0, archive.read(target.folder))
    made = "results/cpu/fit/dcgmm/B-paper/mnist/not0/seed0/fit.json"
    assert set(targets) - set(left) == {made}
    assert len(reference.missing(target, stage, 1, archive.read(target.folder))) == 14


def test_targets_without_seeds_are_made_once(target):
    stage = next(stage for stage in target.stages if stage.targets == ["table3"])
    assert reference.missing(target, stage, 0, {}) == ["table3"]
    assert reference.missing(target, stage, 1, {}) == []
    files.write_text(target.folder / "judges/mnist/seed4/judgements.json", "{}")
    assert reference.missing(target, stage, 0, {}) == []


def test_a_stage_of_nothing_is_refused(tmp_path):
    path = tmp_path / "plan.yaml"
    files.write_text(
        path, f"version: '1'\nconfig: {CONFIG_FILE}\nstages: [{{name: x, group: y}}]\n"
    )
    with pytest.raises(ValueError, match=r"stages\[0\] needs `targets`, or a `group` of table1"):
        reference.load(path)


def test_readme_shows_every_model_and_where_the_papers_stands():
    about = {"protocol": "paper", "dataset": "mnist", "n": 2, "std": 0.5}
    rows = [
        about | {"method": "dcgmm", "title": "DCGMM-E", "variant": "paper", "mean": 70.0},
        about | {"method": "pdspn", "title": "PD-SPN", "variant": "binomial", "mean": 60.0},
        about | {"method": "pdspn", "title": "PD-SPN", "variant": "normal", "mean": 80.0},
        about | {"method": "vae", "title": "VAE", "variant": None, "mean": 75.0},
    ]
    corrected = [row | {"protocol": "corrected", "mean": 90 - row["mean"] / 2} for row in rows[:2]]
    chosen = pd.DataFrame([*rows, corrected[0], corrected[1] | {"mean": 1.0}])
    first, second = readme_tables.standing(chosen).split(". ")[:2]
    said = "on MNIST, DCGMM-E at 70.0 stands below PD-SPN (normal) 80.0, VAE 75.0"
    assert first.endswith(said) and second.endswith("on MNIST, DCGMM-E at 55.0 leads.")
    paper = {"table": "II", "column": "mnist", "paper": 91.2, "paper_spread": 0.6}
    cells = pd.DataFrame([paper | {"row": row} for row in ("PD-SPN", "DCGMM-E")])
    lines = {line.pop(""): line for line in readme_tables.table2_rows(chosen, cells)}
    assert list(lines) == ["DCGMM-E (paper)", "PD-SPN (binomial)", "PD-SPN (normal)", "VAE"]
    assert lines["PD-SPN (normal)"] == {
        "MNIST": "80.0 ± 0.5 (2)", "MNIST, corrected": "–", "MNIST, paper": "91.2 ± 0.6"
    }  # fmt: skip
    assert lines["VAE"]["MNIST, paper"] == "–"


def test_readme_answers_the_headline_by_the_verdicts_on_its_claims(tmp_path):
    claim = "e-beats-spns-corrected"
    example_table.write(tmp_path / "claims.csv", f"id,verdict\n{claim},does not hold\n")
    example_table.write(
        tmp_path / "claims_cases.csv",
        "id,case,one,rival,effect,ci_low,ci_high,n,unit,verdict,reason\n"
        f"{claim},MNIST,DCGMM-E,PD-SPN,-3,-4,-2,5,points,does not hold,refuted by PD-SPN\n",
    )
    question, answers = readme_tables.answer(tmp_path)
    assert question == "**Does DCGMM-E beat the SPNs at outlier detection?**"
    assert answers.splitlines() == [
        "- Under the paper's protocol: **not run**.",
        "- Under the corrected protocol: **no** (refuted by PD-SPN).",
    ]


def test_readme_keeps_what_is_around_the_tables(tmp_path):
    place = tmp_path / "README.md"
    text = f"before\n{readme_tables.BEGIN}\nold\n{readme_tables.END}\nafter\n"
    new = readme_tables.inserted(text, "new", place)
    assert new == f"before\n{readme_tables.BEGIN}\n\nnew\n\n{readme_tables.END}\nafter\n"
    assert readme_tables.inserted(new, "new", place) == new
    for broken in ("", readme_tables.BEGIN, readme_tables.END + readme_tables.BEGIN, 2 * text):
        with pytest.raises(ValueError, match="each once, in this order"):
            readme_tables.inserted(broken, "new", place)


def test_the_readme_is_in_step_with_what_is_published():
    readme_tables.main(["--check"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("version: 1\nconfig: a.yaml\nstages: []\n", "version: 1 is not of type 'string'"),
        ("version: ../x\nconfig: a.yaml\nstages: []\n", "version: '../x' does not match"),
        ("version: '1'\nconfig: a.yaml\n", "'stages' is a required property"),
        ("version: '1'\nconfig: missing.yaml\nstages: []\n", "missing.yaml: is missing"),
    ],
)
def test_a_mistake_in_the_plan_is_one_sentence(tmp_path, text, message):
    path = tmp_path / "plan.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match="yaml: ") as caught:
        reference.load(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
