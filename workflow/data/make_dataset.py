"""Prepare one dataset: write the arrays that every later step reads to one `.npz`."""

import sys
from pathlib import Path

from workflow.common.command_line import argument_parser
from workflow.data.download import DownloadError
from workflow.data.preparation import DATA_DIR_VARIABLE, prepare


def main(arguments: list[str] | None = None) -> None:
    """Run the step; exit with status 1 and one message if the data are unavailable."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--dataset", required=True, help="a row of registry.tsv")
    parser.add_argument(
        "--source",
        required=True,
        help="full: the published files; subset: the images that ship with the suite",
    )
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=Path("data"),
        help=f"folder of the published files; overridden by the environment's {DATA_DIR_VARIABLE}",
    )
    parser.add_argument("--out", required=True, type=Path, help="the .npz to write")
    options = parser.parse_args(arguments)
    try:
        dataset = prepare(options.dataset, options.source, options.data_dir)
        dataset.save(options.out)
    except (ValueError, OSError, DownloadError) as error:
        sys.exit(f"{parser.prog}: {error}")
    print(
        f"{options.out}: {len(dataset.x_train)} training and {len(dataset.x_test)} test images, "
        f"sha256 {dataset.digest}"
    )


if __name__ == "__main__":
    main()
