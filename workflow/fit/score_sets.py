"""Score test sets with fitted models that were made without them.

Writes `further.npz` beside each fit's `scores.npz`, in the same format (`workflow.fit.scores`).
Nothing is trained. A failed fit, and a set that a model cannot score, has no scores in it.
"""

import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workflow.common import places, troubles
from workflow.common.command_line import argument_parser, plain_errors
from workflow.fit import fitting, methods, model_files, set_scores
from workflow.fit import scores as saved_scores


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--fits", required=True, nargs="+", type=Path, help="folders of fits")
    parser.add_argument("--sets", required=True, nargs="+", type=Path, help="test sets, .npz")
    parser.add_argument("--device", default="cpu", choices=["cpu", "gpu"])
    options = parser.parse_args(arguments)
    fitting.use_device(options.device)
    with plain_errors(parser.prog):
        for folder in options.fits:
            fit = places.read(folder / places.FIT_RECORD)
            images = fit["dataset"]
            sets = set_scores.load(options.sets, images["name"], images["source"])
            digests = {each.name: each.digest for each in sets}
            model_files.check(fit, folder / "model")
            saved_scores.write(
                folder / saved_scores.FURTHER,
                fit,
                saved_scores.NO_LABELS,
                scores_of(fit, folder / "model", sets),
                digests=digests,
            )


def scores_of(
    fit: dict[str, Any], model: Path, sets: Sequence[set_scores.Scored]
) -> dict[str, methods.Scores]:
    """Scores of the sets, without any if the fit or the scoring failed.

    Raises:
        MachineError: if the machine is to blame.
    """
    if fit["status"] != "ok" or not sets:
        return {}
    try:
        return set_scores.score(methods.load(fit, str(model)), sets)
    except Exception as error:  # the tables show that there are no scores
        traceback.print_exception(error)
        troubles.check(error)
        return {}


if __name__ == "__main__":
    main()
