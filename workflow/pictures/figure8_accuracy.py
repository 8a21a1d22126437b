"""Accuracy of a judge on in-painted images, and on the whole and the erased ones.

Writes JSON, a row for each fit and filling; `figure8` adds them to the squared errors.
"""

from pathlib import Path

from workflow.common import files, places
from workflow.common.command_line import argument_parser, plain_errors
from workflow.pictures import drawings
from workflow.samples.judge import Judge

FILLINGS = ("original", "black", "marginal", "erased", "mean")


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--draws", required=True, nargs="+", type=Path, help="draws.npz of fits")
    parser.add_argument("--judge", required=True, type=Path, help="folder of the judge")
    parser.add_argument("--out", required=True, type=Path, help="JSON to write")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        record = places.read(options.judge / "judge.json")
        rows = []
        if record["status"] == "ok":
            judge = Judge(tuple(record["input_shape"]), record["classes"])
            judge.load(options.judge / "weights.npz")
            rows = [row for path in options.draws for row in accuracies(judge, path)]
        files.write_json(options.out, rows)
    print(f"{options.out}: {len(rows)} rows")


def accuracies(judge: Judge, path: Path) -> list[dict]:
    """Judge every filling of one file: a row each, none if its fit failed."""
    metadata, arrays = drawings.read(path, "inpainting")
    return [
        {
            "point": metadata["point"],
            "classes": metadata["classes"],
            "seed": metadata["seed"],
            "filled": filling,
            "accuracy": judge.accuracy(arrays[filling], arrays["labels"]),
        }
        for filling in FILLINGS
        if arrays
    ]


if __name__ == "__main__":
    main()
