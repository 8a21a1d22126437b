"""Gaussian pixels, whose fits go wrong until a file `mended` lies in the run's folder."""

import ctypes
import os
import resource
import signal
import time
from pathlib import Path

import numpy as np

from baselines.gaussian import GaussianPixels


class Mischief(GaussianPixels):
    """Fits as it should, or goes wrong.

    Args:
        how: a key of `MISCHIEF`, `diverges`, or anything else, which works.
        input_shape: (H, W, C) of an image.
    """

    name = "mischief"

    def __init__(self, *, how="works", input_shape=(28, 28, 1)):
        super().__init__(input_shape=input_shape)
        self.how = "works" if Path("mended").exists() else how

    def fit(self, images, *, seed=0, progress=False):
        history = super().fit(images, seed=seed)
        MISCHIEF.get(self.how, lambda: None)()
        return history

    def score_samples(self, images, known=None):
        scores = super().score_samples(images, known)
        return np.full_like(scores, np.nan) if self.how == "diverges" else scores


def raises():
    raise RuntimeError("on purpose")


def exits():
    raise SystemExit("gone")


def lacks():
    np.ones(2**50)


def hangs():
    """In native code and with the interpreter's lock, so that no Python code can end it."""
    ctypes.PyDLL(None).sleep(600)


def allocates():
    kept = []
    for _ in range(40):
        kept.append(np.ones(100 * 2**20 // 8))
        time.sleep(0.1)


def crashes():
    os.kill(os.getpid(), signal.SIGSEGV)


def fills():
    """No file can be larger than a log is, as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))


def misses():
    import no_such_library  # noqa: F401


ALL = (raises, exits, hangs, allocates, crashes, lacks, fills, misses)
MISCHIEF = {each.__name__: each for each in ALL}
