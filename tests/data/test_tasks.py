"""Tasks: who is inlier and outlier, and what a wrong one is told."""

import numpy as np
import pytest

from workflow.data import registry, tasks, test_sets
from workflow.data.tasks import Selection

DIGITS = np.array([0, 1, 2, 0, 9])


@pytest.mark.parametrize(
    ("classes", "fit", "expected"),
    [
        (None, "not0", [1, 1, 1, 1, 1]),
        ("trained", "not0", [0, 1, 1, 0, 1]),
        ("unseen", "not0", [1, 0, 0, 1, 0]),
        ("trained", "only9", [0, 0, 0, 0, 1]),
        ("unseen", "not0_1", [1, 1, 0, 1, 0]),
        ("trained", "all", [1, 1, 1, 1, 1]),
        ((2, 9), "not0", [0, 0, 1, 0, 1]),
        ((7,), "not0", [0, 0, 0, 0, 0]),
    ],
)
def test_a_selection_takes_images_by_their_class(classes, fit, expected):
    assert Selection("any", classes).mask(DIGITS, fit).tolist() == [bool(x) for x in expected]


def test_every_task_of_the_suite_has_a_set_and_says_whether_it_ships():
    sets = test_sets.table()
    for task in tasks.table().values():
        assert {*task.sets} <= {*sets}, task.name
        assert task.on_request == (not {*task.sets} <= {*test_sets.shipped()}), task.name
        assert {*task.datasets} <= {*registry.of_channels(1)}
        assert task.name not in task.datasets, "no dataset is an outlier to itself"


def test_which_fits_do_a_task():
    left_out, other, blurred = (tasks.table()[n] for n in ("outliers", "fashion_mnist", "blurred"))
    assert left_out.suits("mnist", "not0")
    assert not left_out.suits("mnist", "all"), "no class is unseen"
    assert other.suits("mnist", "all")
    assert not other.suits("fashion_mnist", "all")
    assert blurred.suits("fashion_mnist", "only3")


def test_a_run_does_what_ships_what_it_asks_for_and_its_own():
    assert "kmnist" not in tasks.of_run({})
    of_run = tasks.of_run({"kmnist": {}, "shirts": {"outliers": "pictures", "distance": "near"}})
    assert {"inverted", "kmnist", "shirts"} <= {*of_run}
    assert "omniglot" not in of_run
    own = of_run["shirts"]
    assert (own.title, own.distance, own.outliers) == ("shirts", "near", Selection("shirts", None))
    assert own.inliers == Selection("test", "trained")
    sets = tasks.sets_of({"shirts": {"outliers": "pictures"}}, "mnist")
    assert {"inverted", "constant", "fashion_mnist", "shirts"} <= {*sets}
    assert not {"test", "mnist", "kmnist"} & {*sets}
    assert len(sets) == len({*sets})


@pytest.mark.parametrize(
    ("inliers", "outliers", "wrong"),
    [
        (("test", "trained"), ("test", "unseen"), False),
        (("test", "unseen"), ("test", "trained"), False),
        (("test", "trained"), ("test", None), True),
        (("test", "trained"), ("test", "trained"), True),
        (("test", "trained"), ("test", [1]), True),
        (("test", [1, 2]), ("test", [2, 3]), True),
        (("test", [1, 2]), ("test", [3]), False),
        (("test", None), ("inverted", None), False),
    ],
)
def test_no_image_is_inlier_and_outlier(inliers, outliers, wrong):
    def images(name, classes):
        return {"set": name} | ({} if classes is None else {"classes": classes})

    content = {"title": "t", "distance": "far", "source": "s"}
    content |= {"inliers": images(*inliers), "outliers": images(*outliers)}
    if wrong:
        with pytest.raises(ValueError, match=r"^the task 'mine' has inliers that are outliers"):
            tasks.of("mine", content)
    else:
        assert tasks.of("mine", content).outliers.set == outliers[0]


def test_a_wrong_table_is_named_with_the_key(tmp_path):
    path = tmp_path / "tasks.yaml"
    path.write_text("mine: {title: x, outliers: {set: test}, distance: away, source: s}\n")
    with pytest.raises(ValueError, match=r"tasks\.yaml: mine\.distance: 'away' is not one of"):
        tasks.table(path)
