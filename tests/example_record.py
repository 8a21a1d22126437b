"""A valid record, for tests to change."""

import copy

_METRICS = [
    {"metric": metric, "evidence": "all", "layer": layer, "top": layer == "4", "value": value}
    for metric, layer, value in (
        ("auroc", "2", 0.6), ("auc100", "2", 0.59), ("auroc", "4", 0.7), ("auc100", "4", 0.68),
    )
]  # fmt: skip

_RECORD = {
    "schema_version": 2,
    "suite_version": "0.1.0",
    "method": "dcgmm",
    "grid_point": "B-paper",
    "settings": {
        "instance": "B",
        "recipe": "paper",
        "layers": "F(8,2)-G(49)-F(11,1)-G(49)",
        "hyperparameters": {"epochs": 3, "waits": [0.0, 0.1], "annealing": {"window": 100}},
    },
    "training": {"holdout": False, "images": None, "sample_weight": None},
    "dataset": {
        "name": "mnist", "source": "subset", "sha256": 64 * "a", "train_images": 5400,
        "validation_images": 0,
    },
    "classes": "not0",
    "seed": 0,
    "status": "ok",
    "reason": "",
    "estimate": {},
    "seconds": {"fit": 1.5, "score": 0.5, "cpu": 5.5},
    "memory_mb": {"host": 700.0, "gpu": None},
    "parameter_count": 587412,
    "environment": {"lock_sha256": 64 * "b", "python": "3.11.7", "packages": {"keras": "3"}},
    "host": {
        "id": "0a1b2c3d", "system": "Linux", "cpu": "", "cores": 2, "memory_gb": 24, "gpu": None,
    },
    "commit": {"hash": None, "changed": None},
    "task": "outliers",
    "counts": {"inliers": 900, "outliers": 100},
    "metrics": _METRICS,
}  # fmt: skip


def record(**changes):
    """The example with some top-level values changed."""
    return copy.deepcopy(_RECORD) | changes


def failed(**changes):
    """A record of a fit that diverged."""
    return record(status="diverged", reason="the loss is nan", metrics=[]) | changes


def fit_of(record):
    """The record of the fit that a task was done with."""
    return {key: record[key] for key in record if key not in ("task", "counts", "metrics")}


def point(instance, dataset="mnist", recipe="paper", **changes):
    """A record of another grid point or dataset."""
    base = record()
    return base | {
        "grid_point": f"{instance}-{recipe}",
        "settings": base["settings"] | {"instance": instance, "recipe": recipe},
        "dataset": base["dataset"] | {"name": dataset},
        **changes,
    }


def competitor(scores, *, seed=0, **settings):
    """A record of RAT-SPN: a grid point named like `K5-binomial-bytes`, its scores by metric.

    Args:
        scores: (metric, evidence) -> value.
        seed: of the fit.
        settings: of the grid point.
    """
    leaf, scaling = settings.get("leaf", "binomial"), settings.get("scaling", "bytes")
    words = [f"K{settings['components']}", leaf, *([scaling] if leaf == "binomial" else [])]
    metrics = [
        {"metric": metric, "evidence": evidence, "layer": "top", "top": True, "value": value}
        for (metric, evidence), value in scores.items()
    ]
    return record(
        method="ratspn",
        grid_point="-".join(words),
        settings=settings | {"leaf": leaf, "scaling": scaling},
        seed=seed,
        metrics=metrics,
    )
