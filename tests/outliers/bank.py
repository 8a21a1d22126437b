"""A small score bank with made-up scores, for tests of what is computed from one."""

from types import SimpleNamespace

import numpy as np

from workflow.outliers import score_bank

SEEDS = (0, 1, 2)
N = {"test": 60, "inverted": 40, "constant": 256, "fashion_mnist": 30, "glyphs": 30}
MISSING = "no source has it; put the file there"


def images(dataset="mnist"):
    """Labels and sizes of some sets; KMNIST is missing."""
    rng = np.random.default_rng(7)
    labels = {name: rng.integers(0, 10, n) for name, n in N.items()}
    labels["test"][:3] = 0, 0, 1  # both sides of the task
    labels["constant"] = np.arange(256)
    labels["glyphs"] += 10
    sets = {name: {"digest": name, "title": name, "reason": ""} for name in N}
    labels["kmnist"] = np.empty(0, np.int64)
    sets["kmnist"] = {"digest": "", "title": "KMNIST", "reason": MISSING}
    return score_bank.Images(
        {"name": dataset, "source": "subset", "sha256": "0" * 64},
        labels,
        {name: 500 + 8 * rng.integers(1, 99, len(of)) for name, of in labels.items()},
        sets,
    )


def entry(known, grid_point="E-paper", shift=0.0, *, failed=(), **changes):
    """Scores of a model of two layers; those of failed seeds are NaN."""
    rng = np.random.default_rng(len(grid_point))
    scores = {}
    for name, n in {**N, "train": 50}.items():
        for layer in ("2", "6"):
            values = rng.normal(shift * (name == "test"), 1, (len(SEEDS), n)).astype(np.float32)
            values[[SEEDS.index(seed) for seed in failed]] = np.nan
            scores[name, "all", layer] = values
    metadata = {
        "method": "dcgmm", "grid_point": grid_point, "title": f"DCGMM-{grid_point[0]}",
        "variant": "paper", "settings": {}, "dataset": known.dataset["name"], "classes": "not0",
        "density": False, "published_evidence": "all", "protocols": [],
        "digests": {name: each["digest"] for name, each in known.sets.items()},
        "reasons": {str(seed): "diverged: the loss is not finite" for seed in failed},
    }  # fmt: skip
    return score_bank.Entry(metadata | changes, SEEDS, scores)


def written(folder):
    """A bank of two models, one of which has a density and a failed seed."""
    known = images()
    deep, flat = entry(known), entry(known, "A-paper", 1.0, failed=[1], density=True)
    score_bank.write(folder, [known], [deep, flat])
    return SimpleNamespace(folder=folder, images=known, deep=deep, flat=flat)
