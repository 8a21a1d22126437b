"""Statistics over seeds and judges: who is compared with whom, and how."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests import example_table
from tests.example_record import competitor, point
from tests.samples.test_table3 import judge, row
from workflow.common import files, tables
from workflow.common.intervals import holm
from workflow.comparison import contrasts, critical_difference, observations, statistics_tables
from workflow.fit import tidy

SEEDS = range(5)
NOISE = np.random.default_rng(0).normal(0, 0.01, (9, 5))


def values_of(table, title, values, protocol="corrected", metric="auroc", unit="seed", variant=""):
    return pd.DataFrame(
        {
            "table": table, "dataset": "mnist", "protocol": protocol, "title": title,
            "variant": variant, "point": title, "metric": metric, "unit": unit,
            "number": range(len(values)), "value": values,
        }
    )  # fmt: skip


def test_seeds_of_different_models_do_not_pair():
    ours, theirs, third = (80 + 100 * NOISE[k] for k in range(3))
    parts = [
        values_of("II", title, v)
        for title, v in (("DCGMM-E", ours), ("GMM", theirs), ("VAE", third + 3))
    ]
    lines = contrasts.differences_to_reference(pd.concat(parts)).set_index("title")
    scipys = stats.ttest_ind(theirs, ours, equal_var=False)
    assert lines.loc["GMM", "p"] == pytest.approx(scipys.pvalue)
    assert lines.loc["GMM", "low"] == pytest.approx(scipys.confidence_interval().low)
    assert lines.loc["GMM", "test"] == "Welch's t"
    assert lines["p_holm"].tolist() == pytest.approx(holm(lines["p"]))
    assert set(lines["reference"]) == {"DCGMM-E"}


def test_judges_pair_and_only_those_that_judged_both():
    common = np.array([5.0, -5.0, 9.0, 0.0])
    small = np.array([0, 0.1, 0, 0.2])
    parts = [
        values_of("III", title, values, metric="accuracy", unit="judge")
        for title, values in (("DCGMM-E", 80 + common), ("GMM", (82 + common + small)[:3]))
    ]
    (line,) = contrasts.differences_to_reference(pd.concat(parts)).to_dict("records")
    assert (line["test"], line["n"]) == ("paired t", 3)
    assert line["mean"] == pytest.approx(2 + 0.1 / 3)
    assert line["high"] - line["low"] < 1, "what judges share has gone"


def test_table1_compares_within_a_recipe():
    parts = [
        values_of("I", f"DCGMM-{name}", [value, value + 1], variant=recipe)
        for name, recipe, value in (
            ("A", "paper", 60), ("A", "released", 90), ("E", "paper", 70), ("E", "released", 70),
        )
    ]  # fmt: skip
    lines = contrasts.differences_to_reference(pd.concat(parts)).set_index("variant")["mean"]
    assert lines.to_dict() == pytest.approx({"paper": 10, "released": -20})


def test_measures_pair_by_fit():
    exact, papers = 80 + 100 * NOISE[0], 79 + 100 * NOISE[0] + NOISE[1]
    values = pd.concat(
        [
            values_of("I", "DCGMM-A", exact),
            values_of("I", "DCGMM-A", papers, protocol="paper", metric="auc100"),
        ]
    )
    (line,) = contrasts.differences_between_measures(values).to_dict("records")
    assert (line["protocol"], line["test"], line["n"]) == ("both", "paired t", 5)
    assert line["p"] == pytest.approx(stats.ttest_rel(exact, papers).pvalue)
    assert line["low"] < line["bootstrap_low"] < line["mean"] < line["bootstrap_high"]


def detections():
    """Two instances and RAT-SPN, whose chosen point is K5."""
    for seed in SEEDS:
        for place, name in enumerate("AE"):
            value = 0.8 + place / 20 + NOISE[place, seed]
            metrics = [
                {"metric": m, "evidence": "all", "layer": layer, "top": top, "value": v}
                for m, v in (("auroc", value), ("auc100", 0.99 * value))
                for layer, top in (("2", False), ("4", True))
            ]
            for dataset in ("mnist", "fashion_mnist"):
                yield point(name, dataset, seed=seed, metrics=metrics)
        for components, level in ((5, 0.5), (9, 0.9)):
            scores = {
                ("auroc", "all"): level + NOISE[3, seed],
                ("auc100", "all"): level - 0.1 + NOISE[5, seed],
            }
            yield competitor(scores, components=components, seed=seed)


CHOSEN = pd.DataFrame(
    {
        "protocol": protocol, "method": "ratspn", "grid_point": "K5-binomial-bytes",
        "dataset": "mnist", "evidence": "all", "n": 5,
    }
    for protocol in ("paper", "corrected")
)  # fmt: skip


def test_observations_are_of_top_layers_and_chosen_points():
    rows = tidy.table(detections())
    first = observations.table1(rows)
    assert len(first) == 2 * 2 * 2 * 5, "instances, datasets, measures, seeds"
    mine = first[(first["title"] == "DCGMM-E") & (first["metric"] == "auc100")]
    mine = mine[mine["dataset"] == "mnist"].sort_values("number")
    assert mine["value"].tolist() == pytest.approx(list(99 * (0.85 + NOISE[1])))
    second = observations.table2(rows, CHOSEN)
    assert set(second["point"]) == {"K5-binomial-bytes"}
    assert len(second) == 2 * 2 * 5, "protocols, measures, seeds"
    assert set(second["variant"]) == {"binomial"}


def judgements():
    """Three judges of five models on both datasets; DCGMM-A is always the best."""
    models = [
        ("dcgmm", "DCGMM-A", "paper", "recipe"), ("dcgmm", "DCGMM-E", "paper", "recipe"),
        ("ratspn", "RAT-SPN", "binomial", "full"),
    ]  # fmt: skip
    for dataset in ("mnist", "fashion_mnist"):
        for number in range(3):
            rows = [
                row(
                    0.9 - place / 10 + NOISE[4, number], title, treatment=treatment,
                    method=method, variant=variant, dataset=dataset,
                )
                for place, (method, title, variant, published) in enumerate(models)
                for treatment in dict.fromkeys((published, "full"))
            ]  # fmt: skip
            yield {"judge": judge(number, dataset=dataset), "rows": rows}


def test_observations_of_samples_are_of_judges():
    values = observations.table3(judgements())
    assert len(values) == 2 * 2 * 3 * 3, "protocols, datasets, models, judges"
    ours = values[(values["title"] == "DCGMM-E") & (values["dataset"] == "mnist")]
    ours = ours[ours["protocol"] == "corrected"].sort_values("number")["value"]
    assert ours.tolist() == pytest.approx(list(100 * (0.8 + NOISE[4, :3])))


def test_ranks_are_of_models_that_have_every_block():
    values = pd.concat(
        [observations.table1(tidy.table(detections())), observations.table3(judgements())]
    )
    blocks = critical_difference.blocks(values, "corrected")
    assert blocks.shape == (4, 3), "two datasets, two tasks; RAT-SPN detected nothing"
    assert list(critical_difference.complete(blocks)) == ["DCGMM-A (paper)", "DCGMM-E (paper)"]
    long = critical_difference.long_table(blocks)
    assert len(long) == 10 and long["rank"].isna().sum() == 2
    outliers = blocks.loc[("mnist", "outliers")]
    assert outliers["DCGMM-E (paper)"] == pytest.approx(100 * (0.85 + NOISE[1].mean()))


def run(folder, records, chosen=None, judged=()):
    tables.write_csv(folder / "records.csv", tidy.table(records))
    words = ["--records", str(folder / "records.csv"), "--run", "test", "--out", str(folder)]
    words += ["--figures", str(folder / "figures"), "--classes", "not0"]
    if chosen is not None:
        example_table.write(folder / "table2.csv", chosen)
        words += ["--chosen", str(folder / "table2.csv")]
    for place, content in enumerate(judged):
        files.write_json(folder / f"{place}.json", content)
    if judged:
        words += ["--judgements", *(str(folder / f"{k}.json") for k in range(len(judged)))]
    statistics_tables.main(words)
    return (folder / "statistics.md").read_text("utf-8")


def test_step_writes_all_files(tmp_path):
    both = pd.concat([CHOSEN, CHOSEN.assign(dataset="fashion_mnist")])
    more = [
        record | {"dataset": record["dataset"] | {"name": "fashion_mnist"}}
        for record in detections()
        if record["method"] == "ratspn"
    ]
    page = run(tmp_path, [*detections(), *more], both, list(judgements()))
    assert "This run has 5 seeds: the smallest p of signed ranks is 0.0625" in page
    assert "Wilcoxon's signed ranks need 6 pairs" in page
    assert "over 4 blocks and 3 models" in page and "nan" not in page
    written = pd.read_csv(tmp_path / "statistics.csv")
    assert set(written["quantity"]) == {"mean", "to reference", "measure"}
    for name in ("critical_difference.svg", "critical_difference.png", "critical_difference.csv"):
        assert (tmp_path / "figures" / name).stat().st_size > 100
    assert pd.read_csv(tmp_path / "statistics_limits.csv")["n"].tolist() == list(range(2, 11))


def test_step_survives_a_run_in_which_all_failed(tmp_path):
    failed = {"status": "failed", "reason": "no", "metrics": []}
    page = run(tmp_path, [record | failed for record in detections()])
    assert "cannot be ranked" in page and "nan" not in page
    assert (tmp_path / "figures/critical_difference.png").stat().st_size > 100
    assert (tmp_path / "statistics.csv").exists()
