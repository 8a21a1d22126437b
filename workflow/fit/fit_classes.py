"""Fit one method to each class alone, as for Table III, and record the outcome.

Writes `model/<class>/` and `fit.json`, one record of all classes, to the output folder. One job
fits all classes, since starting and compiling take longer than a small fit. If a class fails, the
record names it and the exit status is 0. A trouble of the machine ends the job without a record.
"""

from pathlib import Path
from typing import Any

from workflow.common import files, provenance
from workflow.common.command_line import plain_errors
from workflow.data import datasets
from workflow.fit import fitting, limits, methods, model_files
from workflow.fit.fitting import Images

EACH = "each"  # stands for the classes in records and paths


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = fitting.parser(__spec__, __doc__)
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
        # If the supervisor ended this command before, record that; otherwise fit.
        options.out.mkdir(parents=True, exist_ok=True)
        if options.ended:
            outcome = fitting.ended_outcome(options.ended, options.out / "model")
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
        # One record for all classes.
        counts = [
            sum(len(getattr(class_images, part)) for class_images in images.values())
            for part in ("train", "validation")
        ]
        conditions = provenance.end(begun, options.lock)
        record = fitting.record(
            options, dataset, EACH, options.seed, tuple(counts), outcome, spent, conditions
        )
        record |= {"model": model_files.digests(options.out / "model")}
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
        folder: of the saved models.
        allowed: limits; fits estimated to exceed them are not started. Hours are of all classes.

    Returns:
        Part of the record on how the fits went; parameters are those of one class, and the
        history has one entry per class.
    """
    outcome = fitting.new_outcome()
    clock = fitting.Clock(outcome["seconds"])
    folder.mkdir(exist_ok=True)
    number: int | None = None
    try:
        model = methods.create(method, settings, next(iter(images.values())).train.shape[1:])
        outcome["parameter_count"] = int(model.n_parameters)
        total = sum(len(class_images.train) for class_images in images.values())
        outcome["estimate"] = limits.check(model, total, allowed)
        clock.start()
        for number, class_images in images.items():
            fit_arguments = (
                {}
                if class_images.sample_weight is None
                else {"sample_weight": class_images.sample_weight}
            )
            (history,) = methods.fit(method, [model], class_images.train, [seed], fit_arguments)
            outcome["history"][str(number)] = fitting.as_json(history)
            model.save(folder / str(number))
        clock.stop("fit")
    # A failure of the method is a row; a trouble of the machine aborts.
    except (Exception, SystemExit) as error:
        outcome = fitting.failed_outcome(error, outcome)
        if number is not None:
            outcome["reason"] = f"class {number}: {outcome['reason']}"
    return outcome


if __name__ == "__main__":
    main()
