"""Train one DCGMM, and measure every cGMM layer's loss on the test images as it trains (Sec. V-A).

`joint` trains all layers at once with the recipe's delays, `layerwise` one after the other, each
for all epochs. Writes one JSON; a failed training is recorded with its reason.
"""

import json
import time
from pathlib import Path
from typing import Any

from workflow.common import files, provenance
from workflow.common.command_line import argument_parser, plain_errors
from workflow.data import datasets
from workflow.fit import fitting, methods

SCHEMES = ("joint", "layerwise")


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--settings", required=True, type=json.loads, help="JSON, of a DCGMM")
    parser.add_argument("--epochs", required=True, type=int)
    parser.add_argument("--scheme", required=True, choices=SCHEMES)
    parser.add_argument("--measurements", required=True, type=int, help="a layer's training")
    parser.add_argument("--data", required=True, type=Path, help="a prepared dataset, .npz")
    parser.add_argument("--seed", required=True, type=int)
    parser.add_argument("--out", required=True, type=Path, help="JSON to write")
    fitting.add_supervised(parser)
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        conditions = options.begun or provenance.note()
        dataset = datasets.load(options.data)
        settings = options.settings | {
            "hyperparameters": options.settings["hyperparameters"] | {"epochs": options.epochs}
        }

        # What identifies the training, then its outcome.
        record = {
            "grid_point": f"{settings['instance']}-{settings['recipe']}",
            "settings": settings,
            "epochs": options.epochs,
            "scheme": options.scheme,
            "dataset": {"name": dataset.name, "source": dataset.source, "sha256": dataset.digest},
            "seed": options.seed,
        }
        if options.ended:
            ending = {key: options.ended[key] for key in ("status", "reason")}
            record |= ending | {"waits": [], "history": {}, "seconds": None}
        else:
            record |= train(settings, dataset, options.scheme, options.measurements, options.seed)
        commit = provenance.recheck_commit(conditions["commit"])
        record |= {"host": conditions["host"], "commit": commit}
        files.write_json(options.out, record)
    print(f"{options.out}: {record['status']} {record['reason']}".rstrip())


def train(
    settings: dict[str, Any],
    dataset: datasets.Dataset,
    scheme: str,
    measurements: int,
    seed: int,
) -> dict[str, Any]:
    """Train; return `status`, `reason`, `seconds`, `waits` and the history of `DCGMM.fit`."""
    start = time.perf_counter()
    outcome: dict[str, Any] = {"status": "ok", "reason": "", "waits": [], "history": {}}
    try:
        model = methods.create("dcgmm", settings, dataset.x_train.shape[1:])
        outcome["waits"] = list(model.recipe.waits)
        outcome["history"] = model.fit(
            datasets.as_float(dataset.x_train),
            seed=seed,
            progress=True,
            layerwise=scheme == "layerwise",
            validation=datasets.as_float(dataset.x_test),
            measurements=measurements * (len(model.gmm_indices) if scheme == "layerwise" else 1),
        )
    except Exception as error:  # the figure shows a failed training
        outcome |= fitting.status_and_reason(error) | {"history": {}}
    return outcome | {"seconds": round(time.perf_counter() - start, 3)}


if __name__ == "__main__":
    main()
