"""Draw images of every class, each from the model that was fitted to this class alone.

Writes a file of `workflow.samples.sample_files`: N images a class for every treatment of the
pixels' noise, and sharpened ones where a DCGMM pools. A fit that failed, or drawing that does, is
a file with the reason and without images.

How long drawing takes is measured on the first class, drawn again when everything is compiled;
`about` has it under `drawing`: the host, how many images, and the seconds for each treatment.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from workflow.common import places, provenance
from workflow.common.command_line import plain_errors
from workflow.fit import fitting, methods
from workflow.samples import sample_files


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argparse.ArgumentParser(
        prog="python -m workflow.samples.draw_classes", description=__doc__
    )
    parser.add_argument("--fit", required=True, type=Path, help="fit.json")
    parser.add_argument("--model", required=True, type=Path, help="folder of folders, one a class")
    parser.add_argument("--images", required=True, type=int, help="of each class and treatment")
    parser.add_argument("--out", required=True, type=Path, help=".npz to write")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        if options.images < 1:
            raise ValueError(f"--images is {options.images}, but must be at least 1")
        fit = places.read(options.fit)
        about, arrays = drawn(fit, options.model, options.images)
        sample_files.write(options.out, about, arrays)
    print(f"{options.out}: {len(arrays)} sets of images, {about['status']} {about['reason']}")


def drawn(fit: dict[str, Any], folder: Path, n: int) -> tuple[dict[str, Any], sample_files.Drawn]:
    """`about` and all images of all classes; none unless everything could be drawn."""
    about = sample_files.about(fit)
    arrays: sample_files.Drawn = {}
    if fit["status"] != "ok":
        return about, arrays
    seconds: dict[str, float] = {}
    try:
        for label in classes(folder):
            model = methods.load(fit, folder / str(label))
            about["centroid_count"] = methods.centroid_count(model)
            for name, how in methods.treatments(fit).items():
                draw = partial(model.sample, n, seed=seed(fit["seed"], label), **how)
                arrays[f"{name}/{label}"] = sample_files.as_bytes(draw(), n)
                if name not in seconds:  # by now all is compiled
                    seconds[name] = wall_time(draw)
    except Exception as error:  # what a method raises is a row of the tables
        reason = fitting.status_and_reason(error)["reason"]
        return about | {"status": "failed", "reason": f"drawing: {reason}"}, {}
    drawing = {"host": provenance.machine(provenance.host()), "images": n, "seconds": seconds}
    return about | {"drawing": drawing}, arrays


def wall_time(draw: Callable[[], Any]) -> float:
    """Seconds that drawing takes."""
    start = time.perf_counter()
    np.asarray(draw())  # the images themselves, which some libraries only promise
    return round(time.perf_counter() - start, 6)


def classes(folder: Path) -> list[int]:
    """The classes that have a model.

    Raises:
        ValueError: if there is none.
    """
    found = sorted(int(path.name) for path in folder.glob("*") if path.name.isdecimal())
    if not found:
        raise ValueError(f"{folder} holds no model of any class")
    return found


def seed(fit: int, label: int) -> int:
    """A seed for each fit and class; treatments share it, so that they differ by nothing else."""
    return int(np.random.SeedSequence((fit, label)).generate_state(1)[0]) % 2**31


if __name__ == "__main__":
    main()
