"""Judge all drawn images of a dataset by one judge, and control images that bound the measures.

Writes a JSON that describes the judge under `judge` and holds, under `rows`, a row for each file of
samples, treatment and class; what cannot be judged has a row with the reason.
"""

import time
from pathlib import Path
from typing import Any

from workflow.common import files, places
from workflow.common.command_line import argument_parser, plain_errors
from workflow.data import datasets
from workflow.samples import judgements as judging
from workflow.samples.judge import Judge

WITHOUT_SAMPLES = 100  # images per class of the controls where no model drew any


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--samples", required=True, nargs="+", type=Path, help="samples.npz files")
    parser.add_argument("--judge", required=True, type=Path, help="folder of the judge")
    parser.add_argument("--data", required=True, type=Path, help="a prepared dataset, .npz")
    parser.add_argument("--out", required=True, type=Path, help="JSON to write")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        judge = places.read(options.judge / "judge.json")
        dataset = datasets.load(options.data)
        if judge["dataset"]["sha256"] != dataset.digest:
            raise ValueError(
                f"{options.judge} was trained on other images than {options.data} holds: train it "
                "again"
            )
        keys = ("dataset", "seed", "epochs", "status", "reason", "learning_rate", "accuracy")
        description = {key: judge[key] for key in keys}
        rows = judged(options.samples, judge, options.judge / "weights.npz", dataset)
        files.write_json(options.out, {"judge": description, "rows": rows})
    failed = sum(row["status"] != "ok" for row in rows)
    print(f"{options.out}: {len(rows)} rows, {failed} of them failed")


def judged(
    paths: list[Path], record: dict[str, Any], weights: Path, dataset: datasets.Dataset
) -> list[judging.Row]:
    """Rows of every file and of the controls; if the judge's training failed, failed rows only."""
    if record["status"] != "ok":
        reason = f"the judge of seed {record['seed']} is of no use: {record['reason']}"
        return [judging.unknown(path, dataset.name, reason) for path in paths]
    judge = Judge(tuple(record["input_shape"]), record["classes"])
    judge.load(weights)
    bench = judging.Bench(judge, dataset)
    start = time.perf_counter()
    rows = []
    for place, path in enumerate(paths, start=1):
        rows += bench.file_rows(path)
        seconds = time.perf_counter() - start
        print(f"{seconds:7.1f} s  {place} of {len(paths)}: {path}", flush=True)
    return rows + list(bench.controls(max(row["n"] for row in rows) or WITHOUT_SAMPLES))


if __name__ == "__main__":
    main()
