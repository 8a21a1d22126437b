"""Trainings without a result are counted, explained, and decide on the exit status."""

import json

import pytest

from tests.example_record import failed, point
from workflow.common import files
from workflow.run import complete, missing

TRAININGS = [[["fit"], ["dcgmm/A", "dcgmm/B"], ["seed0", "seed1"], ["fit.json"]], [["judge.json"]]]
STATUSES = {"dcgmm/A/seed1": "diverged", "dcgmm/B/seed0": "refused", "dcgmm/B/seed1": "timeout"}


@pytest.fixture
def root(tmp_path):
    """A run of four fits and a judge; three fits went wrong, and one was left by an older run."""
    files.write_json(tmp_path / "fit/dcgmm/A/seed0/fit.json", point("A"))
    for fit, status in STATUSES.items():
        record = failed(status=status, reason=f"it is {status}")
        files.write_json(tmp_path / "fit" / fit / "fit.json", record)
    files.write_json(tmp_path / "judge.json", {"status": "ok", "reason": ""})
    files.write_json(tmp_path / "fit/dcgmm/C/seed0/fit.json", failed())
    return tmp_path


def test_every_training_asked_for_is_looked_at_once(root):
    records = list(missing.record_paths(root, TRAININGS))
    assert len(records) == len(set(records)) == 5
    found = missing.among([*records, root / "not/made/yet.json"])
    assert {str(each.record.parent.relative_to(root / "fit")) for each in found} == set(STATUSES)
    assert missing.count_failed(found) == 2, "what is refused is as asked"
    text = missing.summary(found, len(records))
    assert text.startswith("3 of 5 trainings have no result and are missing from the tables: ")
    assert "1 diverged, 1 refused, 1 timeout\n" in text
    assert f"  {root / 'fit/dcgmm/B/seed1'}: it is timeout\n" in text
    assert "`make retry`" in text.splitlines()[-1]


def test_long_lists_are_cut(root):
    (one,) = missing.among([root / "fit/dcgmm/A/seed1/fit.json"])
    lines = missing.summary([one] * 25, 30).splitlines()
    assert len(lines) == 1 + missing.SHOWN + 1 + 1
    assert lines[-2] == "  and 15 more, which the tables name"


@pytest.mark.parametrize("allowed", [1, 2])
def test_the_exit_status_says_whether_more_failed_than_may(root, capsys, allowed):
    out = root / "complete.txt"
    values = {"root": root, "trainings": json.dumps(TRAININGS), "max-failed": allowed, "out": out}
    words = [word for key, value in values.items() for word in (f"--{key}", str(value))]
    if allowed < 2:
        with pytest.raises(SystemExit, match=f"^{root}: 3 of 5 trainings have no result"):
            complete.main(words)
        assert not out.exists(), "so that the next run says it again"
    else:
        complete.main(words)
        assert out.read_text() == capsys.readouterr().out
        assert "3 of 5" in out.read_text()


@pytest.mark.parametrize("content", ["{", "[]", "{}"])
def test_a_damaged_record_is_named(tmp_path, content):
    path = tmp_path / "fit.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"fit\.json (is|was) .*; remove it and run again"):
        missing.among([path])
