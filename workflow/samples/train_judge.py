"""Train one judge: the CNN of Table VII on the training images of a dataset.

Writes `weights.npz`, arrays alone, and `judge.json`: dataset, settings, the attempts (one for each
learning rate; those that collapse are rejected) and accuracies. If training fails, the record has
the reason, and `weights.npz` is empty.
"""

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from workflow.common import files, npz, places, provenance
from workflow.common.command_line import argument_parser, plain_errors
from workflow.data import datasets
from workflow.fit import fitting
from workflow.samples import judge as judges


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--data", required=True, type=Path, help="a prepared dataset, .npz")
    parser.add_argument("--seed", required=True, type=int, help="of weights, dropout and order")
    parser.add_argument("--epochs", required=True, type=int, help="the paper's are 15")
    parser.add_argument(
        "--learning-rates", nargs="+", type=float, default=[0.01, 0.001], help="all are tried"
    )
    parser.add_argument(
        "--lock", type=Path, default=Path("envs/tensorflow.lock"), help="of this environment"
    )
    parser.add_argument("--out", required=True, type=Path, help="folder")
    fitting.add_supervised(parser)
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        if options.epochs < 1 or options.seed < 0:
            raise ValueError("--epochs must be at least 1 and --seed at least 0")
        conditions = provenance.begin(options.begun, options.lock)
        dataset = datasets.load(options.data)
        record = {"suite_version": conditions["suite_version"]}
        record |= untrained(dataset, options.seed, options.epochs)

        # Train, unless the supervisor reports how training ended.
        judge = None
        if options.ended:
            record |= {key: options.ended[key] for key in ("status", "reason", "memory_mb")}
        else:
            try:
                rates = options.learning_rates
                judge, outcome = trained(dataset, options.seed, options.epochs, rates)
                record |= outcome
            except ValueError:  # the dataset does not suit a judge
                raise
            except Exception as error:  # the tables can do without this judge
                record |= fitting.status_and_reason(error)
                record |= {"memory_mb": provenance.peak_memory_mb()}

        # Write weights and record.
        weights = {} if judge is None else judge.arrays
        npz.write(options.out / "weights.npz", places.identity(record), weights)
        record |= provenance.end(conditions, options.lock)
        files.write_json(options.out / "judge.json", record)
    accuracy = record["accuracy"]["test"]
    detail = record["reason"] if accuracy is None else f"test accuracy {accuracy:.2%}"
    print(f"{options.out}: {record['status']}, {detail}")


def untrained(dataset: datasets.Dataset, seed: int, epochs: int) -> dict[str, Any]:
    """The record of a judge before training, which fills in the rest."""
    return {
        "dataset": {
            "name": dataset.name,
            "source": dataset.source,
            "sha256": dataset.digest,
            "train_images": len(dataset.x_train),
            "test_images": len(dataset.x_test),
        },
        "input_shape": list(dataset.x_train.shape[1:]),
        "classes": len(np.unique(dataset.y_train)),
        "seed": seed,
        "epochs": epochs,
        "learning_rate": None,
        "attempts": [],
        "accuracy": {"train": None, "test": None},
        "seconds": {"fit": None, "cpu": None},
    }


def trained(
    dataset: datasets.Dataset, seed: int, epochs: int, learning_rates: list[float]
) -> tuple[judges.Judge, dict[str, Any]]:
    """Train a judge; return it and the outcome for its record.

    Raises:
        ValueError: if the classes are not numbered from 0, or images are too small.
    """
    labels = np.unique(dataset.y_train)
    if not np.array_equal(labels, np.arange(len(labels))):
        raise ValueError(f"{dataset.name}: classes must be numbered from 0, but are {labels}")

    images = datasets.as_float(dataset.x_train)
    start = time.perf_counter()
    judge, best, attempts = judges.train(
        images,
        dataset.y_train,
        len(labels),
        seed=seed,
        epochs=epochs,
        learning_rates=learning_rates,
        report=lambda text: print(f"{time.perf_counter() - start:7.1f} s  {text}", flush=True),
    )
    seconds = time.perf_counter() - start
    test = judge.accuracy(datasets.as_float(dataset.x_test), dataset.y_test)
    return judge, {
        "status": "collapsed" if best.collapsed else "ok",
        "reason": best.collapsed,
        "learning_rate": best.learning_rate,
        "attempts": [asdict(attempt) for attempt in attempts],
        "accuracy": {"train": judge.accuracy(images, dataset.y_train), "test": test},
        "seconds": {"fit": round(seconds, 3), "cpu": round(time.process_time(), 3)},
        "memory_mb": provenance.peak_memory_mb(),
    }


if __name__ == "__main__":
    main()
