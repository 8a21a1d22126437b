"""Every table, figure and page is made of what is left, also of nothing."""

import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests import example_record
from tests.samples import test_table3
from tests.training import test_figure4
from workflow.claims import judge_claims
from workflow.common import files, frames
from workflow.comparison import (
    compare_with_paper,
    compare_with_published,
    comparison_figure,
    statistics_tables,
)
from workflow.cost import efficiency
from workflow.data import datasets, test_sets
from workflow.density import bits_per_dimension
from workflow.fit import curves, scores, tidy
from workflow.outliers import (
    ablations,
    detection,
    figure10,
    make_score_bank,
    measure_held_out,
    measure_outliers,
    multiverse,
    outlier_classes,
    selection_table,
    table1,
    table2,
    table2_grid,
)
from workflow.pages import explorer, front_page
from workflow.pictures import (
    competitors,
    draw_images,
    drawings,
    figure5,
    figure7,
    figure8,
    figure14,
    semantics,
)
from workflow.pictures import figure6 as samples_step
from workflow.plan import table_fits
from workflow.plan.config import checked
from workflow.samples import contact_sheets, sample_files, table3
from workflow.training import detection_curves, figure4, measure_classification, table4

# What rests on no result, or makes one; those that need Keras are part of the workflow's tests.
OTHERS = {
    "build_env", "check_score_bank", "collect", "complete", "config_docs", "diagrams",
    "draw_classes", "draw_images", "estimate", "figure8_accuracy", "fit", "fit_classes",
    "judge_samples", "launch", "make_dataset", "make_reference", "make_subset",
    "make_test_sets", "measure_costs", "measure_losses", "new_baseline", "publish",
    "published_records", "readme_tables", "report", "score_sets", "supervise", "table5",
    "table6", "time_fits", "train_judge",
}  # fmt: skip
ALIKE = {  # pictures, of which there is none in any situation
    "figure4", "figure5", "figure7", "figure8", "figure14", "competitors", "semantics", "samples",
    "contact_sheets",
}  # fmt: skip
PAPER = "results/reference/paper.csv"
PLAN = {
    protocol: {"dcgmm": ["E-paper"], "ratspn": [f"K{k}-binomial-{scaling}" for k in (2, 5)]}
    for protocol, scaling in (("paper", "unit"), ("corrected", "bytes"))
}
REASON = "it ran longer than limits.timeout_s, which is 0.2"
FAILED = {"status": "timeout", "reason": REASON, "metrics": []}
DATASETS = ("mnist", "fashion_mnist")
LABELS = np.repeat(np.arange(10), 2)

# Situation -> whether a fit of a dataset and seed went well; what differs besides is in `Folder`.
FINE: dict[str, Callable[[str, int], bool]] = {
    "all failed": lambda dataset, seed: False,
    "no record": lambda dataset, seed: False,
    "no competitor": lambda dataset, seed: False,
    "one dataset": lambda dataset, seed: dataset == "mnist",
    "one seed": lambda dataset, seed: seed == 0,
    "all equal": lambda dataset, seed: True,
    "no metric": lambda dataset, seed: True,
}


class Folder:
    """A run in one of the situations, and what its programs have made of it so far."""

    def __init__(self, path: Path, situation: str):
        self.path, self.situation, self.done = path, situation, set()
        self.fine = FINE[situation]
        groups = {
            "all": self.outliers(), "table1": self.outliers(), "table2": self.outliers(),
            "table4": self.classifiers(), "outlier_classes": self.other_classes(),
            "ablations": self.outliers(), "held_out": self.other_classes("not0_1"),
        }  # fmt: skip
        for group, found in groups.items():
            found = [] if situation == "no record" else [*found]
            tidy.write(path / f"records/{group}.csv", found)
            for one in found:
                self.save(one)

    def of(self, one, dataset, seed, value=0.5):
        """A record of a dataset and seed, as it is in this situation."""
        one = one | {"dataset": one["dataset"] | {"name": dataset}, "seed": seed}
        metrics = [metric | {"value": value} for metric in one["metrics"]]
        if self.situation == "no metric":
            metrics = []
        return one | ({"metrics": metrics} if self.fine(dataset, seed) else FAILED)

    def outliers(self):
        for dataset, seed in itertools.product(DATASETS, (0, 1)):
            for instance in "AE":
                yield self.of(example_record.point(instance), dataset, seed)
            if self.situation != "no competitor":
                for k, scaling in itertools.product((2, 5), ("unit", "bytes")):
                    both = itertools.product(("auroc", "auc100"), ("all", "bottom_half"))
                    values = dict.fromkeys([*both, ("validation_log_likelihood", "all")], 0.5)
                    network = example_record.competitor(values, components=k, scaling=scaling)
                    yield self.of(network, dataset, seed)

    def classifiers(self):
        metric = {"metric": "accuracy", "evidence": "all", "layer": "top", "top": True}
        for dataset, seed in itertools.product(DATASETS, (0, 1)):
            one = example_record.point("B-class", classes="all", task="classification")
            one["settings"]["hyperparameters"] |= {"classifier": {"inputs": [2, 4]}}
            yield self.of(one | {"metrics": [metric]}, dataset, seed)

    def other_classes(self, *names):
        for name, dataset in itertools.product(names or ("not0", "not1"), DATASETS):
            yield self.of(example_record.point("A", classes=name), dataset, 0)

    def save(self, one):
        """The files of a fit."""
        place = (one["method"], one["grid_point"], one["dataset"]["name"], one["classes"])
        folder = self.path.joinpath("fit", *place, f"seed{one['seed']}")
        if (folder / "fit.json").exists():
            return
        fit = example_record.fit_of(one)
        files.write_json(folder / "fit.json", fit)
        drawings.write(folder / "nothing.npz", dict.fromkeys(draw_images.KINDS, (fit, {})))
        sample_files.write(folder / "samples.npz", sample_files.metadata(fit), {})
        same = {layer: np.zeros(len(LABELS)) for layer in ("2", "4")}
        test = {"test": {"all": same, "bottom_half": same}, "validation": {"all": same}}
        if one["status"] != "ok":
            test = {}
        scores.write(folder / "scores.npz", fit, LABELS, test, LABELS)
        curves.write(folder / "curve.npz", fit, curves.NO_SCORES, LABELS, LABELS)

    def fits(self, pattern="*/*/*/not0/seed*"):
        """Folders of fits; of a failed one where there is no record."""
        if not (self.path / "fit").exists():
            self.save(example_record.point("A", **FAILED))
        return sorted((self.path / "fit").glob(pattern))[:4]

    def files(self, name):
        return [folder / name for folder in self.fits()]

    def judged(self):
        """Judgements and judges, all of which failed; where fits went well, of two datasets."""
        paths = []
        for dataset, method in zip(DATASETS, ("ratspn", "unknown"), strict=True):
            lost = test_table3.failed(dataset=dataset, reason=REASON, method=method)
            judge = test_table3.judge(0, "timeout", dataset) | {"attempts": [], "reason": REASON}
            rows = [] if self.situation == "no record" else [lost]
            folder = self.path / f"judges/{dataset}/seed0"
            files.write_json(folder / "judgements.json", {"judge": judge, "rows": rows})
            files.write_json(folder / "judge.json", judge)
            paths.append(folder)
        return paths

    def dynamics(self):
        for scheme in figure4.LABELS:
            one = test_figure4.failed(scheme, reason=REASON)
            files.write_json(self.path / f"dynamics/{scheme}.json", one)
            yield self.path / f"dynamics/{scheme}.json"

    def data(self, name="mnist", channels=1):
        images = np.zeros((len(LABELS), 2, 3, channels), "uint8")
        path = self.path / f"{name}.npz"
        datasets.Dataset(name, "subset", images, LABELS, images, LABELS, {}).save(path)
        return path

    def test_set(self, dataset):
        """The test images as a set, where there are fits."""
        one = datasets.load(self.data(dataset))
        path, sizes = self.path / f"{dataset}-test.npz", np.ones(len(LABELS), int)
        test_sets.TestSet("test", "test", dataset, "subset", one.x_test, LABELS, sizes, "PNG").save(
            path
        )
        return path

    def bank(self):
        """Arguments of the program that collects the scores of A and E."""
        group = {
            "points": ["dcgmm/A-paper", "dcgmm/E-paper"], "datasets": DATASETS,
            "classes": ["not0"], "seeds": [0, 1], "chosen": False,
        }  # fmt: skip
        return [
            "--root", self.path / "fit",
            "--groups", json.dumps([] if self.situation == "no record" else [group]),
            "--data", *map(self.data, DATASETS), "--sets", *map(self.test_set, DATASETS),
        ]  # fmt: skip

    def accuracy(self):
        files.write_json(self.path / "accuracy.json", [])
        return self.path / "accuracy.json"

    def call(self, name):
        """Run a program, after those that make what it reads."""
        if name in self.done:
            return
        for needed in NEEDS.get(name, ()):
            self.call(needed)
        module, arguments, place = PROGRAMS[name]
        out = self.path / place
        given = [str(word) for word in arguments(self)]
        last = ["--out", str(out / f"{name}{out_suffix(name)}" if out_suffix(name) else out)]
        module.main([*given, *last])
        self.done.add(name)


def out_suffix(name):
    """Of programs that write one file whose name they are given."""
    pages = {"explorer": ".html", "front_page": ".html"}
    return {"contact_sheets": ".png", **pages, "records": ".csv"}.get(name, "")


def of(folder, group):
    return ["--records", folder.path / f"records/{group}.csv"]


TEXTS = ["--run", "mine"]


def of_bank(folder):
    return ["--bank", folder.path / "scores", "--tasks", "{}"]


SCHEDULE = [*TEXTS, "--schedule", "short"]
TABLES = [f"table{n}" for n in (1, 2, 3, 4)]
NEEDS = {
    "comparison": TABLES, "comparison_figure": ["comparison"], "table2_grid": ["table2"],
    "statistics": ["table2"], "front_page": ["claims", "comparison", "efficiency", "statistics"],
    "claims": [*TABLES, "figure4", "figure5", "figure7", "figure8"],
    "detection": ["make_score_bank"], "multiverse": ["make_score_bank"],
    "explorer": ["make_score_bank"],
}  # fmt: skip
PROGRAMS = {
    "table1": (table1, lambda f: [*of(f, "table1"), "--paper", PAPER, *SCHEDULE], "tables"),
    "table2": (
        table2,
        lambda f: [*of(f, "table2"), "--paper", PAPER, *TEXTS, "--plan", json.dumps(PLAN)],
        "tables",
    ),
    "table3": (
        table3,
        lambda f: [
            "--judgements", *(p / "judgements.json" for p in f.judged()),
            "--judges", *(p / "judge.json" for p in f.judged()), "--paper", PAPER, *TEXTS,
        ],
        "tables",
    ),
    "table4": (table4, lambda f: [*of(f, "table4"), "--paper", PAPER, *TEXTS], "tables"),
    "outlier_classes": (
        outlier_classes, lambda f: [*of(f, "outlier_classes"), *SCHEDULE], "tables",
    ),
    "ablations": (
        ablations,
        lambda f: [*of(f, "ablations"), "--paper", PAPER, "--recipe", "paper", *SCHEDULE],
        "tables",
    ),
    "selection": (
        selection_table,
        lambda f: [
            *of(f, "table2"), "--held-out", f.path / "records/held_out.csv", *TEXTS,
            "--plan", json.dumps(PLAN), "--fits", f.path / "fit",
        ],
        "tables",
    ),
    "bits_per_dimension": (
        bits_per_dimension,
        lambda f: [
            "--fits", *f.fits("*/*/mnist/not0/seed*"), "--data", f.data(), *TEXTS,
        ],
        "tables",
    ),
    "efficiency": (
        efficiency,
        lambda f: [
            "--records", f.path / "records/all.csv", f.path / "records/table4.csv", *TEXTS,
            "--samples", *f.files("samples.npz"),
        ],
        "tables",
    ),
    "comparison": (
        compare_with_paper,
        lambda f: [
            "--tables", *(f.path / f"tables/{t}.csv" for t in [*TABLES, "table2_grid"]),
            *of(f, "table2"), "--paper", PAPER, "--source", "subset", *SCHEDULE,
            "--samples-schedule", "short",
        ],
        "tables",
    ),
    "comparison_figure": (
        comparison_figure, lambda f: ["--comparison", f.path / "tables/comparison.csv"], "figures",
    ),
    "statistics": (
        statistics_tables,
        lambda f: [
            "--records", f.path / "records/all.csv", f.path / "records/table4.csv",
            "--chosen", f.path / "tables/table2.csv", "--classes", "not0", *TEXTS,
            "--judgements", *(p / "judgements.json" for p in f.judged()),
            "--figures", f.path / "figures",
        ],
        "tables",
    ),
    "compare": (
        compare_with_published,
        lambda f: [*of(f, "all"), "--published", f.path / "records/all.csv", *TEXTS],
        "tables",
    ),
    "claims": (
        judge_claims,
        lambda f: [
            "--run", f.path, "--schedule", "short", "--samples-schedule", "short",
            "--paper", PAPER, "--inpainting", "results/reference/inpainting.csv",
        ],
        "tables",
    ),
    "table2_grid": (
        table2_grid, lambda f: ["--grid", f.path / "tables/table2_grid.csv"], "figures",
    ),
    "figure4": (figure4, lambda f: ["--dynamics", *f.dynamics()], "figures"),
    "figure5": (
        figure5,
        lambda f: ["--draws", *f.files("nothing.npz"), "--name", "figure5"],
        "figures",
    ),
    "figure7": (
        figure7,
        lambda f: [
            "--data", f.data("colour_digits", 3), "--draws", *f.files("nothing.npz"),
            "--sharpened", *f.files("nothing.npz"), "--name", "figure7",
        ],
        "figures",
    ),
    "figure8": (
        figure8,
        lambda f: [
            "--draws", *f.files("nothing.npz"), "--accuracy", f.accuracy(),
            "--name", "figure8",
        ],
        "figures",
    ),
    "detection_curves": (
        detection_curves,
        lambda f: ["--fits", *f.fits("dcgmm/*/*/not0/seed*"), "--paper", PAPER],
        "figures",
    ),
    "figure10": (figure10, lambda f: ["--fits", *f.fits("dcgmm/*/*/not0/seed*")], "figures"),
    "figure14": (figure14, lambda f: ["--fits", *lost(f)], "figures"),
    "competitors": (competitors, lambda f: ["--draws", *f.files("nothing.npz")], "figures"),
    "semantics": (semantics, lambda f: ["--draws", *f.files("nothing.npz")], "figures"),
    "samples": (
        samples_step,
        lambda f: ["--draws", *f.files("nothing.npz"), "--name", "figure6"],
        "figures",
    ),
    "contact_sheets": (contact_sheets, lambda f: ["--samples", *f.files("samples.npz")], "figures"),
    "outliers": (measure_outliers, lambda f: measured(f, "A-paper", "not0"), "made"),
    "held_out": (measure_held_out, lambda f: measured(f, "A-paper", "not0_1"), "made"),
    "classification": (
        measure_classification, lambda f: measured(f, "B-class-paper", "all"), "made",
    ),
    "make_score_bank": (make_score_bank, Folder.bank, "scores"),
    "detection": (detection, lambda f: [*of_bank(f), *TEXTS], "tables"),
    "multiverse": (
        multiverse, lambda f: [*of_bank(f), *TEXTS, "--figures", f.path / "figures"], "tables",
    ),
    "explorer": (explorer, lambda f: [*of_bank(f), *TEXTS], "page"),
    "front_page": (
        front_page,
        lambda f: [
            "--config", json.dumps(checked({"run": "mine"})), "--asked", json.dumps(ASKED),
            "--figures", "[]", "--folder", f.path, "--published", "results/reference/1",
        ],
        "page",
    ),
}  # fmt: skip
ASKED = [
    {
        "task": task, "points": ["dcgmm/A-paper", "ratspn/K2-binomial-unit"],
        "datasets": [*DATASETS], "classes": ["not0"], "seeds": [0, 1],
    }
    for task in ("outliers", table_fits.task("table4"))
]  # fmt: skip


def measured(folder, point, classes):
    """Fits of the first seed; a failed one where there is no record."""
    if not (folder.path / f"fit/dcgmm/{point}/mnist/{classes}/seed0").exists():
        one = example_record.point(point.removesuffix("-paper"), classes=classes, **FAILED)
        folder.save(one)
    return [
        "--root", folder.path / "fit", "--points", f"dcgmm/{point}", "--datasets", "mnist",
        "--classes", classes, "--seeds", "0",
    ]  # fmt: skip


def lost(folder):
    """A fit without a model."""
    files.write_json(folder.path / "lost/fit.json", example_record.record(**FAILED))
    return [folder.path / "lost"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Situation -> its run, each laid out once."""
    return {name: Folder(tmp_path_factory.mktemp("run") / "mine", name) for name in FINE}


def test_no_program_is_forgotten():
    programs = {module.__name__.rpartition(".")[2] for module, _, _ in PROGRAMS.values()}
    found = {
        path.stem
        for path in Path("workflow").glob("*/*.py")
        if "\ndef main(" in path.read_text("utf-8")
    }
    assert found == OTHERS | programs and not OTHERS & programs


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("name", "situation"),
    [(name, one) for name in PROGRAMS for one in (FINE if name not in ALIKE else ["all failed"])],
)
def test_a_program_makes_something_of_nothing(runs, name, situation):
    folder = runs[situation]
    folder.call(name)
    for path in [*folder.path.glob("tables/*"), *folder.path.glob("figures/*")]:
        drawn = path.parent.name == "figures" and path.stem == "table2_grid"
        if path.suffix == ".csv" and path.stem in frames.TABLES and not drawn:
            assert [*pd.read_csv(path)] == [*frames.TABLES[path.stem]], path.name
        elif path.suffix in (".md", ".tex", ".svg", ".json"):
            text = re.sub(r"<(style|image|defs|clipPath).*?>", "", path.read_text("utf-8"))
            assert not re.search(r"\b(nan|NaN|None)\b|<NA>", text), path.name
            assert path.stat().st_size > 10, path.name
