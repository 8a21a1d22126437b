"""A score bank of made-up scores: several models, two datasets, what may go wrong included."""

import numpy as np

from workflow.data import test_sets
from workflow.data.test_sets import TestSet
from workflow.fit.set_scores import TRAIN
from workflow.outliers import score_bank
from workflow.outliers.score_bank import Entry

OWN = test_sets.OWN_IMAGES
MISSING = "its files are not there; download them"
REASON = "diverged: loss is nan"


def sets(dataset, size=120, seed=0):
    """Random test images of ten classes, two other sets, and one that is missing."""
    rng = np.random.default_rng(seed)

    def of(name, n, reason=""):
        return TestSet(
            name=name,
            title=name,
            dataset=dataset,
            source="subset",
            images=rng.integers(0, 256, (n, 28, 28, 1), np.uint8),
            labels=np.arange(n, dtype=np.int64) % 10,
            compressed_bits=rng.integers(4000, 6000, n),
            compressor="made up",
            reason=reason,
        )

    other = "fashion_mnist" if dataset == "mnist" else "mnist"
    return [of(OWN, size), of(other, 50), of("constant", 256), of("digits8x8", 0, MISSING)]


def scores(of_sets, rng, seeds, quality, with_train=False):
    """Scores [seeds, n] by set: those of the class 0 and of other sets are lower by `quality`."""
    made = {}
    for each in of_sets:
        if n := len(each.labels):
            lower = (each.labels == 0) if each.name == OWN else np.ones(n, bool)
            shared = rng.normal(size=n)
            own = rng.normal(size=(seeds, n))
            values = -700 + 60 * (shared + own - quality * lower)
            made[each.name] = values.astype(np.float32)
    if with_train:
        made[TRAIN] = rng.normal(-700, 60, (seeds, 40)).astype(np.float32)
    return made


def entry(of_sets, by_evidence, seeds=(0, 1, 2), reasons=None, classes="not0", **metadata):
    """An entry of scores by evidence, layer and set."""
    stacked = {
        (name, evidence, layer): values
        for evidence, layers in by_evidence.items()
        for layer, of_set in layers.items()
        for name, values in of_set.items()
    }
    for seed in reasons or {}:
        for values in stacked.values():
            values[seeds.index(int(seed))] = np.nan
    standard = {
        "method": "dcgmm", "grid_point": "E-paper", "title": "DCGMM-E", "variant": "paper",
        "settings": {}, "density": False, "published_evidence": "all", "protocols": ["paper"],
    }  # fmt: skip
    digests = {each.name: each.digest for each in of_sets}
    own = {"dataset": of_sets[0].dataset, "classes": classes, "digests": digests}
    return Entry({**standard, **own, "reasons": reasons or {}, **metadata}, seeds, stacked)


def entries(of_sets, seed=0):
    """DCGMM-E with two layers, RAT-SPN with a failed seed and two evidences, a VAE that failed."""
    rng = np.random.default_rng(seed)
    layers = {"2": scores(of_sets, rng, 3, 0.5), "6": scores(of_sets, rng, 3, 1.5, True)}
    yield entry(of_sets, {"all": layers})
    halves = {"all": {"top": scores(of_sets, rng, 3, 1.2)}}
    halves["bottom_half"] = {"top": scores(of_sets, rng, 3, 0.2)}
    yield entry(
        of_sets, halves, reasons={"1": REASON}, method="ratspn", grid_point="K5-normal",
        title="RAT-SPN", variant="normal", density=True, protocols=["paper", "corrected"],
    )  # fmt: skip
    yield entry(
        of_sets, {}, reasons={str(s): REASON for s in range(3)}, method="vae", grid_point="L8",
        title="VAE", variant="", density=True, protocols=[],
    )  # fmt: skip


def write(folder, datasets=("mnist", "fashion_mnist"), change=lambda entry: entry):
    """Write the bank; `change` may alter its entries."""
    images, banked = [], []
    for dataset in datasets:
        of_sets = sets(dataset)
        made = [change(each) for each in entries(of_sets)]
        known = score_bank.of_sets(of_sets, "0" * 64)
        images.append(score_bank.with_pictures(known, of_sets, made))
        banked += made
    score_bank.write(folder, images, banked)
