"""Make test sets of one dataset: images that its fits score beside its own test images.

A set that cannot be had is written without images and with the reason, so that tables can say it.
"""

import errno
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from workflow.common.command_line import argument_parser, plain_errors
from workflow.common.hints import nearest
from workflow.data import datasets, foreign, glyphs, made_up, originals, own_images, png, registry
from workflow.data.datasets import Dataset
from workflow.data.download import DownloadError
from workflow.data.preparation import DATA_DIR_VARIABLE, data_folder
from workflow.data.test_sets import (
    OWN_IMAGES,
    SCORED,
    Entry,
    TestSet,
    evenly_spaced,
    in_common,
    other_datasets,
    shipped,
    table,
)

FEW_LEVELS = (*range(0, 256, 16), 255)  # of the set `constant` beside the shipped subset
NAME = re.compile("[a-z0-9_]+")
TABLES = (originals.TABLE, originals.TEST_SETS_TABLE)
_OF_MACHINE = {
    errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ENOMEM, errno.EMFILE, errno.ENFILE
}  # fmt: skip


def build(
    name: str,
    dataset: Dataset,
    *,
    others: Mapping[str, Dataset] | None = None,
    data_dir: Path | str = "data",
    path: Path | None = None,
) -> TestSet:
    """Make one set, or say in it why it cannot be had.

    Args:
        name: of the set, a row of `test_sets.tsv`, or any other name with `path`.
        dataset: whose fits will score the set.
        others: datasets by name, whose test images are sets.
        data_dir: folder of published files, see `preparation.data_folder`.
        path: folder or file of the user's own images.

    Raises:
        ValueError: the name is unknown, or taken by a set of the suite.
        OSError: the machine lacks room or memory; later the same set may succeed.
    """
    entry, others = _entry(name, path), others or {}
    if name in other_datasets(dataset.name) and name not in others:
        raise ValueError(f"the test set '{name}' needs the prepared dataset {name}: name its file")
    shape = dataset.x_test.shape[1:]
    reason = ""
    try:
        if path is not None:
            images, labels = own_images.read(path, shape)
        elif entry.files:
            images, labels = foreign.published(entry.files, data_folder(data_dir), tables=TABLES)
        else:
            images, labels = _shipped(name, dataset, others)
        if images.shape[1:] != shape:
            raise _other_size(name, images.shape[1:], dataset)
        if path is not None and len(shared := in_common(images, dataset)):
            raise ValueError(
                f"{path} has {len(shared)} images that are test images of {dataset.name}, too, the "
                f"first of them number {shared[0] + 1}; remove them"
            )
    except (ValueError, OSError, DownloadError) as error:
        for cause in (error, error.__cause__):
            if isinstance(cause, OSError) and cause.errno in _OF_MACHINE:
                raise cause from None
        images, labels = np.empty((0, *shape), np.uint8), np.empty(0, np.int64)
        reason = _sentence(error)
    if name == "constant" and dataset.source == "subset":
        few = np.isin(labels, FEW_LEVELS)
        images, labels = images[few], labels[few]
    elif name != OWN_IMAGES:
        chosen = evenly_spaced(len(images), SCORED[dataset.source])
        images, labels = images[chosen], labels[chosen]
    return TestSet(
        name=name,
        title=entry.title,
        dataset=dataset.name,
        source=dataset.source,
        images=images,
        labels=labels,
        compressed_bits=png.compressed_bits(images),
        compressor=png.compressor(),
        reason=reason,
    )


def _entry(name: str, path: Path | None) -> Entry:
    """Row of a set in the table, or one for the user's own.

    Raises:
        ValueError: the name is unknown or, with a path, taken or of other characters.
    """
    sets = table()
    if path is None:
        if name not in sets:
            raise ValueError(f"unknown test set '{name}'; {nearest(name, sets)}")
        return sets[name]
    if name in sets:
        raise ValueError(f"the test set '{name}' is one of the suite; give yours another name")
    if not NAME.fullmatch(name):
        raise ValueError(
            f"the test set '{name}' needs a name of small letters, digits and underscores"
        )
    return Entry(name, name, f"images of {path}", "the user's", "", "the user's")


def _shipped(name: str, dataset: Dataset, others: Mapping[str, Dataset]) -> foreign.Labelled:
    """Make a set that needs no file but prepared datasets."""
    if name == OWN_IMAGES:
        return dataset.x_test, dataset.y_test
    if name in made_up.OF_TEST_IMAGES:
        chosen = evenly_spaced(len(dataset.x_test))
        return made_up.OF_TEST_IMAGES[name](dataset.x_test[chosen]), dataset.y_test[chosen]
    if name == "constant":
        return made_up.constant(dataset.x_test.shape[1:])
    if name == "glyphs":
        return glyphs.make()
    if name == "digits8x8":
        return foreign.enlarged_digits()
    # The test images of another dataset.
    if name == dataset.name:
        raise ValueError(
            f"{registry.title(name)} is the dataset itself; its images are the set '{OWN_IMAGES}'"
        )
    if name not in others:
        raise _other_size(name, registry.table()[name].shape, dataset)
    chosen = evenly_spaced(len(others[name].x_test))
    return others[name].x_test[chosen], others[name].y_test[chosen]


def _other_size(name: str, shape: Sequence[int], dataset: Dataset) -> ValueError:
    """Error for a set whose images are not of the dataset's size."""
    found, needed = ("x".join(map(str, one)) for one in (shape, dataset.x_test.shape[1:]))
    return ValueError(
        f"the images of {name} are {found} and those of {dataset.name} {needed}; leave the set out "
        f"for {dataset.name}"
    )


def _sentence(error: Exception) -> str:
    """One sentence of an error, whose first line says what is wrong and whose last how to mend it.

    The lines between, one for each mirror, are for the log.
    """
    lines = f"{error}".splitlines()
    return "; ".join(dict.fromkeys((lines[0].rstrip(":."), lines[-1])))


def main(arguments: list[str] | None = None) -> None:
    """Make the sets; exit with status 1 only for a wrong command or a trouble of the machine."""
    parser = argument_parser(__spec__, __doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path, help="the prepared dataset")
    parser.add_argument(
        "--others", nargs="*", default=[], type=Path, help="prepared datasets that are sets of it"
    )
    parser.add_argument(
        "--sets",
        nargs="+",
        default=shipped(),
        help="rows of test_sets.tsv, by default those that need no download; or, with --path, a "
        "name for your own",
    )
    parser.add_argument("--path", type=Path, help="a folder of PNG files, or an .npz, of your own")
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=Path("data"),
        help=f"folder of the published files; overridden by the environment's {DATA_DIR_VARIABLE}",
    )
    parser.add_argument("--out", required=True, type=Path, help="folder to write <set>.npz into")
    options = parser.parse_args(arguments)
    if options.path and len(options.sets) != 1:
        parser.error("--path is of one set: name it with --sets")
    with plain_errors(parser.prog):
        dataset = datasets.load(options.data)
        others = {other.name: other for other in map(datasets.load, options.others)}
        for name in options.sets:
            test_set = build(
                name, dataset, others=others, data_dir=options.data_dir, path=options.path
            )
            out = options.out / f"{name}.npz"
            if test_set.reason and name not in shipped():
                mend = f"{test_set.reason}; then remove {out} and run again"
                test_set = replace(test_set, reason=mend)
            test_set.save(out)
            what = test_set.reason or f"{len(test_set.images)} images, sha256 {test_set.digest}"
            print(f"{out}: {what}")


if __name__ == "__main__":
    main()
