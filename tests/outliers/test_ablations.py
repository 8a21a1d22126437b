"""One factor of a recipe at a time: which factors there are, and what the table says of them."""

import re

import pandas as pd
import pytest

from dcgmm import recipes
from tests.example_record import failed, point
from workflow.common import tables
from workflow.fit import tidy
from workflow.outliers import ablations as step
from workflow.plan import grid, table_fits
from workflow.plan.config import ConfigError, checked

PAPER = "results/reference/paper.csv"


def config(**ablations):
    settings = {"recipes": ["paper", "released"], "instances": ["A", "B", "D", "G"]}
    return checked({"dcgmm": settings, "ablations": ablations})


def test_nothing_is_changed_unless_it_is_asked_for():
    assert not grid.ablated_points(checked({}))
    assert not table_fits.groups(checked({}))["ablations"]
    assert not grid.ablated_points(config(instances=["E"])), "E is not in the run"


@pytest.mark.parametrize(
    ("instance", "factors"),
    [
        ("A", {"shuffle"}),
        ("B", {"shuffle", "independent"}),
        ("D", {"shuffle", "independent", "layers"}),
        ("G", {"shuffle", "independent", "waits"}),
    ],
)
def test_each_factor_leads_from_one_recipe_towards_the_other(instance, factors):
    asked = config(instances=[instance])
    known = grid.points("dcgmm", asked)
    paper, released = (known[f"{instance}-{name}"]["settings"] for name in ("paper", "released"))
    points = grid.ablated_points(asked)
    assert {point["settings"]["factor"] for point in points.values()} == factors
    for name, each in points.items():
        settings, factor = each["settings"], each["settings"]["factor"]
        assert name == f"{instance}-paper-{factor}" and settings["recipe"] == "paper"
        flat, own, other = (
            {"layers": s["layers"]} | s["hyperparameters"] for s in (settings, paper, released)
        )
        assert {key for key in flat if flat[key] != own[key]} == {factor}
        assert flat[factor] == other[factor]
    assert [*table_fits.groups(asked)["ablations"]] == [
        f"dcgmm/{name}" for name in (f"{instance}-paper", f"{instance}-released", *points)
    ]
    assert not {f"dcgmm/{name}" for name in points} & {*table_fits.groups(asked)["all"]}


def test_what_the_schedule_decides_is_no_factor():
    settings = {"instances": ["A"], "schedules": {"same": {"all": {"shuffle": "epoch"}}}}
    asked = checked({"dcgmm": settings | {"schedule": "same"}, "ablations": {"instances": ["A"]}})
    assert not grid.ablated_points(asked)


def test_named_changes_are_factors_of_every_instance_and_seeds_their_own():
    asked = config(
        instances=["A", "B"], changes={"long": {"epochs": 99}, "shuffle": {"epochs": 7}}, seeds=[3]
    )
    points = grid.ablated_points(asked)
    assert points["A-paper-long"]["settings"]["hyperparameters"]["epochs"] == 99
    named = points["B-paper-shuffle"]["settings"]["hyperparameters"]
    assert (named["epochs"], named["shuffle"]) == (7, "epoch"), "the named one wins"
    mine = points["A-paper-long"]["settings"]["hyperparameters"]
    assert mine["lambda_sigma"] == recipes.instance("A").recipe.lambda_sigma
    assert {fit.seed for fit in table_fits.fits("ablations", asked)} == {3}


@pytest.mark.parametrize(
    ("ablations", "message"),
    [
        ({"instances": ["H"]}, "ablations.instances[0] is 'H'; choose from"),
        ({"changes": {"Long": {}}}, "Long"),
        (
            {"instances": ["A"], "changes": {"long": {"epoch": 3}}},
            "ablations.changes.long: unknown hyper-parameter 'epoch'; did you mean 'epochs'?",
        ),
        ({"instances": ["A"], "changes": {"long": {"epochs": 0}}}, "ablations.changes.long: "),
    ],
)
def test_a_wrong_factor_is_refused(ablations, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        config(**ablations)


def records():
    """B by two seeds as it is and shuffled once, better by 2 and 4 points; once more, it failed."""
    for seed, (base, factor) in enumerate(((0.80, 0.82), (0.70, 0.74))):
        for name, value in (("B-paper", base), ("B-paper-shuffle", factor)):
            own = point("B", seed=seed)
            hyperparameters = own["settings"]["hyperparameters"] | {
                "shuffle": "epoch" if name == "B-paper" else "once"
            }
            metrics = [
                {"metric": metric, "evidence": "all", "layer": layer, "top": layer == "4",
                 "value": value + extra}
                for metric, layer, extra in (("auroc", "2", -0.5), ("auroc", "4", 0),
                                             ("auc100", "4", -0.1))
            ]  # fmt: skip
            yield own | {
                "grid_point": name,
                "settings": own["settings"] | {"hyperparameters": hyperparameters},
                "metrics": metrics,
            }
    other = point("B")["settings"]
    waits = other | {"hyperparameters": other["hyperparameters"] | {"waits": [0, 0]}}
    yield failed(grid_point="B-paper-waits", settings=waits | {"factor": "waits"})


def test_the_table_pairs_seeds_and_says_what_is_different(tmp_path):
    tables.write_csv(tmp_path / "records.csv", tidy.table(records()))
    options = {"records": tmp_path / "records.csv", "paper": PAPER, "recipe": "paper",
               "run": "mine", "schedule": "short", "out": tmp_path}  # fmt: skip
    step.main([word for key, value in options.items() for word in (f"--{key}", str(value))])
    table = pd.read_csv(tmp_path / "ablations.csv").set_index(["point", "metric"])
    ours = table.loc[("B-paper-shuffle", "auroc")]
    assert (ours["mean"], ours["difference"], ours["pairs"]) == pytest.approx((78, 3, 2))
    # Student's t of two differences, 2 and 4: 3 +- 12.706 * sqrt(2) / sqrt(2).
    assert (ours["low"], ours["high"]) == pytest.approx((3 - 12.7062, 3 + 12.7062), abs=1e-3)
    assert table.loc[("B-paper", "auroc"), ["pairs"]].item() == 0
    assert table.loc[("B-paper-waits", "auroc"), ["n", "failed"]].tolist() == [0, 1]
    page = (tmp_path / "ablations.md").read_text("utf-8")
    assert re.search(
        r"B +\| shuffle once, not epoch +\| 78\.0 .*\| \+3\.0 \[−9\.7, \+15\.7\]", page
    )
    assert re.search(r"\| B +\| nothing .* 93\.3 ", page), "as Table I prints"
    assert "- B-paper-waits: the loss is nan" in page
    assert (tmp_path / "ablations.tex").stat().st_size > 100
