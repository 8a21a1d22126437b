"""Draw images of every class, each from the model fitted to that class alone.

Writes a file of `workflow.samples.sample_files`: N images per class for every treatment of the
pixels' noise, and sharpened ones where a DCGMM pools. If the fit or drawing failed, the file holds
the reason and no images.

Drawing is timed on the first class, drawn a second time once everything is compiled. The metadata
hold the times under `drawing`: the host, the number of images, and seconds for each treatment.
"""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from workflow.common import places, provenance
from workflow.common.command_line import argument_parser, plain_errors
from workflow.fit import fitting, methods, model_files
from workflow.samples import sample_files


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--fit", required=True, type=Path, help="fit.json")
    parser.add_argument("--model", required=True, type=Path, help="folder of folders, one a class")
    parser.add_argument("--images", required=True, type=int, help="of each class and treatment")
    parser.add_argument("--out", required=True, type=Path, help=".npz to write")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        if options.images < 1:
            raise ValueError(f"--images is {options.images}, but must be at least 1")
        fit = places.read(options.fit)
        model_files.check(fit, options.model)
        metadata, arrays = drawn(fit, options.model, options.images)
        sample_files.write(options.out, metadata, arrays)
    print(f"{options.out}: {len(arrays)} sets of images, {metadata['status']} {metadata['reason']}")


def drawn(fit: dict[str, Any], folder: Path, n: int) -> tuple[dict[str, Any], sample_files.Drawn]:
    """Draw all classes; return metadata and images, the latter empty if any drawing failed."""
    metadata = sample_files.metadata(fit)
    arrays: sample_files.Drawn = {}
    if fit["status"] != "ok":
        return metadata, arrays
    seconds: dict[str, float] = {}
    try:
        for label in fitted_classes(folder):
            model = methods.load(fit, folder / str(label))
            metadata["centroid_count"] = methods.centroid_count(model)
            for name, how in methods.treatments(fit).items():
                draw = partial(model.sample, n, seed=class_seed(fit["seed"], label), **how)
                arrays[f"{name}/{label}"] = sample_files.as_bytes(draw(), n)
                if name not in seconds:  # everything is compiled by now
                    seconds[name] = wall_time(draw)
    except Exception as error:  # what a method raises is a row of the tables
        reason = fitting.status_and_reason(error)["reason"]
        return metadata | {"status": "failed", "reason": f"drawing: {reason}"}, {}
    drawing = {"host": provenance.machine(provenance.host()), "images": n, "seconds": seconds}
    return metadata | {"drawing": drawing}, arrays


def wall_time(draw: Callable[[], Any]) -> float:
    """Time one drawing, in seconds."""
    start = time.perf_counter()
    np.asarray(draw())  # forces libraries that compute lazily
    return round(time.perf_counter() - start, 6)


def fitted_classes(folder: Path) -> list[int]:
    """List the classes that have a model in the folder.

    Raises:
        ValueError: if there is none.
    """
    labels = sorted(int(path.name) for path in folder.glob("*") if path.name.isdecimal())
    if not labels:
        raise ValueError(f"{folder} holds no model of any class")
    return labels


def class_seed(fit: int, label: int) -> int:
    """Seed of one fit and class, shared by all treatments, so that only the treatment differs."""
    return int(np.random.SeedSequence((fit, label)).generate_state(1)[0]) % 2**31


if __name__ == "__main__":
    main()
