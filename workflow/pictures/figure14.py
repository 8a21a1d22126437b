"""Fig. 14: the visual alphabet, centroids of the lowest cGMM layer arranged on their torus.

Each centroid is stretched to its own minimum and maximum, as in the paper. If every position has
separate parameters, the centroids of the middle position are shown.
"""

import math
from pathlib import Path

import numpy as np

from dcgmm import notation, persistence
from workflow.common import panels, places, plots
from workflow.common.command_line import argument_parser, plain_errors
from workflow.data import registry
from workflow.fit import model_files
from workflow.pictures import drawings


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--fits", required=True, nargs="+", type=Path, help="folders of fits")
    parser.add_argument("--out", required=True, type=Path, help="folder")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        pictures, titles = [], []
        for folder in options.fits:
            fit = places.read(folder / "fit.json")
            model_files.check(fit, folder / "model")
            metadata = drawings.metadata(fit)
            titles.append(panels.caption(metadata, registry.title(metadata["dataset"])))
            pictures.append(
                alphabet(folder / "model") if fit["status"] == "ok" else panels.absent(fit)
            )
        plots.use_style()
        plots.save(panels.table([("", pictures)], titles, (3.2, 3.4)), options.out, "figure14")


def alphabet(folder: Path) -> np.ndarray:
    """Tile the centroids of one model."""
    description, arrays = persistence.read(folder)
    layers = notation.parse(description["layers"])
    kernel = layers[0].kernel
    channels = description["input_shape"][2]
    mu = arrays["L2/mu"]  # [positions or 1, K, D]
    mu = mu[len(mu) // 2].reshape(-1, kernel, kernel, channels)
    low, high = (f(mu, axis=(1, 2, 3), keepdims=True) for f in (np.min, np.max))
    stretched = (mu - low) / np.maximum(high - low, 1e-12)
    return panels.tile(stretched, math.isqrt(len(mu)))


if __name__ == "__main__":
    main()
