"""Fit one method to each class alone, which is how Table III has it, and write down how it went.

Writes `model/<class>/` and `fit.json`, one record of all classes, into the output folder. All in
one job, since starting and compiling take longer than a small fit. If a class fails, the record
says so and names it; the exit status is 0. A trouble of the machine ends the job without a record.
"""

from pathlib import Path
from typing import Any

from workflow.common import files, provenance
from workflow.common.command_line import plain_errors
from workflow.data import datasets
from workflow.fit import fitting, limits, methods
from workflow.fit.fitting import Images

EACH = "each"  # what stands for the classes in the record and in paths


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = fitting.parser("python -m workflow.fit.fit_classes", __doc__)
    parser.add_argument("--classes", required=True, nargs="+", type=int)
    options = parser.parse_args(arguments)
    fitting.use_device(options.device)
    with plain_errors(parser.prog):
        begun = provenance.begin(options.begun, options.lock)
        dataset = datasets.load(options.data)
        images = {
            number: Images.choose(dataset, f"only{number}", options.training)
            for number in options.classes
        }
        options.out.mkdir(parents=True, exist_ok=True)
        if options.ended:
            outcome = fitting.ended(options.ended, options.out / "model")
            spent = fitting.Spent.of(options.ended, 1)
        else:
            outcome = fit(
                options.method,
                options.settings,
                images,
                seed=options.seed,
                folder=options.out / "model",
                allowed=options.limits,
            )
            spent = fitting.Meter().read()
        counts = [
            sum(len(getattr(chosen, part)) for chosen in images.values())
            for part in ("train", "validation")
        ]
        conditions = provenance.end(begun, options.lock)
        record = fitting.record(
            options, dataset, EACH, options.seed, tuple(counts), outcome, spent, conditions
        )
        files.write_json(options.out / "fit.json", record)
    print(f"{options.out}: {record['status']} {record['reason']}".rstrip())


def fit(
    method: str,
    settings: dict[str, Any],
    images: dict[int, Images],
    *,
    seed: int,
    folder: Path,
    allowed: limits.Limits,
) -> dict[str, Any]:
    """Fit to one class after the other, each from scratch, and save to `folder/<class>`.

    Args:
        method: name of the method.
        settings: of its grid point.
        images: to fit, by class.
        seed: of every fit.
        folder: where the models are saved.
        allowed: fits estimated above these are not started; hours are those of all classes.

    Returns:
        The part of the record that tells the outcome; parameters are counted for one class, and
        the history has one entry a class.
    """
    outcome = fitting.outcome()
    clock = fitting.Clock(outcome["seconds"])
    folder.mkdir(exist_ok=True)
    number: int | None = None
    try:
        model = methods.create(method, settings, next(iter(images.values())).train.shape[1:])
        outcome["parameter_count"] = int(model.n_parameters)
        total = sum(len(chosen.train) for chosen in images.values())
        outcome["estimate"] = limits.check(model, total, allowed)
        clock.start()
        for number, chosen in images.items():
            more = {} if chosen.sample_weight is None else {"sample_weight": chosen.sample_weight}
            (history,) = methods.fit(method, [model], chosen.train, [seed], more)
            outcome["history"][str(number)] = fitting.as_json(history)
            model.save(folder / str(number))
        clock.stop("fit")
    except (
        Exception,
        SystemExit,
    ) as error:  # what a method raises is a row; the machine's, an abort
        outcome = fitting.failure(error, outcome)
        if number is not None:
            outcome["reason"] = f"class {number}: {outcome['reason']}"
    return outcome


if __name__ == "__main__":
    main()
