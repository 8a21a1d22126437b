"""What a job is expected to take, and how long jobs take side by side."""

import csv
import io
import itertools
import json
import random

import pandas as pd
import pytest

from workflow.cost import costs, estimate, timetable
from workflow.cost.jobs import Job


def job(rule="fit", *, epochs=2, point="E-paper", classes="not0", **changes):
    settings = {"hyperparameters": {"epochs": epochs}}
    fields = {
        "wildcards": {"method": "dcgmm", "point": point, "dataset": "mnist", "classes": classes},
        "params": {"settings": json.dumps(settings), "training": "{}"},
        "source": "subset",
        "threads": 1,
        "gpu": 0,
        "memory_limit": None,
        "pending": True,
    }
    return Job(rule=rule, **fields | changes)


def expected(wanted, *measured):
    return costs.Expectation(costs.measurements(measured))(wanted)


def test_another_seed_of_the_same_work_is_the_measure():
    seeds = [job(seconds=10.0, memory_mb=500.0), job(seconds=14.0, memory_mb=700.0)]
    far = job(epochs=9, seconds=99.0)
    assert expected(job(), *seeds, far) == costs.Cost(12.0, 600.0, "measured", beside=0.0)


def test_training_is_scaled_by_epochs_and_images_and_the_rest_is_not():
    measured = job(seconds=10.0, seconds_fit=6.0)
    assert expected(job(epochs=6), measured) == costs.Cost(4 + 3 * 6, None, "scaled", beside=4.0)
    assert expected(job(source="full"), measured).seconds == pytest.approx(4 + 10 * 6)
    assert expected(job(classes="only3"), measured).seconds == pytest.approx(4 + 6 / 9)


def test_another_model_is_a_guess_and_another_device_is_none():
    measured = job(seconds=10.0, point="A-paper")
    assert expected(job(), measured).basis == "guessed"
    assert expected(job(gpu=1), measured) is None
    assert expected(job("judge"), measured) is None


def test_the_run_itself_is_trusted_before_the_reference():
    here, reference = [job(seconds=5.0)], [job(seconds=50.0)]
    both = costs.Expectation(costs.measurements(here), costs.measurements(reference))
    assert both(job()).seconds == 5.0
    scaled = costs.Expectation(costs.measurements([job(epochs=4, seconds=5.0)]),
                               costs.measurements(reference))  # fmt: skip
    assert scaled(job()) == costs.Cost(50.0, None, "measured", 0.0), "the same work comes first"


def test_measurements_survive_their_file():
    found = costs.measurements([job(seconds=10.0, seconds_fit=6.5), job("judge", seconds=1)])
    text = pd.DataFrame(costs.to_rows(found)).to_csv(index=False)
    assert {*costs.from_rows(csv.DictReader(io.StringIO(text)))} == {*found}


def test_jobs_share_cores():
    jobs = [(job(), 3600), (job(), 7200), (job(), 3600)]
    assert timetable.hours(jobs, cores=1) == 4
    assert timetable.hours(jobs, cores=2) == 2, "the longest beside the others"
    assert timetable.hours(jobs, cores=99) == 2
    assert timetable.hours([(job(threads=4), 3600), (job(), 3600)], cores=2) == 2
    assert timetable.hours([], cores=2) == 0


def test_one_gpu_takes_one_job_at_a_time():
    jobs = [(job(gpu=1), 3600), (job(gpu=1), 3600), (job(), 3600)]
    assert timetable.hours(jobs, cores=9) == 2


def test_timetable_is_within_the_bounds_of_list_scheduling():
    """Graham: no order of starts takes more than work/cores + the longest job, none takes less."""
    rng = random.Random(0)
    for _, cores in itertools.product(range(20), (1, 2, 5)):
        seconds = [rng.uniform(1, 100) for _ in range(30)]
        work, longest = sum(seconds) / cores, max(seconds)
        took = 3600 * timetable.hours([(job(), each) for each in seconds], cores)
        assert max(work, longest) - 1e-6 <= took <= work + longest + 1e-6


def test_what_has_no_measurement_is_said_and_left_out_of_the_total():
    pending = [(job(), costs.Cost(7200.0, 512.0, "measured", 0.0)), (job(gpu=1), None)]
    text = estimate.message(pending)
    assert "No measurement of 1 jobs" in text
    assert "2 h 0 min" in text and "512" in text
    assert "measured 1, no measurement 1" in text


def test_what_a_method_expects_replaces_a_guess_of_the_training_alone():
    guess = expected(job(), job(point="A-paper", seconds=10.0, seconds_fit=6.0))
    assert guess.basis == "guessed"
    assert estimate.timed(100.0, guess) == costs.Cost(104.0, None, "timed", beside=4.0)
    assert estimate.timed(100.0, None).seconds == 100.0
