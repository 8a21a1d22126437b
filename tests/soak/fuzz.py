"""Damage every kind of file for a bounded time: how many inputs were tried, and what came of them.

    python -m tests.soak.fuzz --seconds 20 --seed 0

Each reader gets so many seconds. What it makes of an input must be a refusal in one sentence or the
value that the file had; the first input of another outcome is kept, and the exit status is 1. Files
of MATLAB are read in processes of their own, since SciPy's reader can crash: the suite lets only
those through to it whose digest is right.
"""

import argparse
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests import damage

BATCH = 50  # inputs to one process that may crash


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.fuzz")
    parser.add_argument("--seconds", type=float, default=20, help="of each reader")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    found = []
    for name, target in damage.TARGETS.items():
        counts, bad = fuzzed(target, options.seconds, options.seed)
        found += bad
        tell(name, counts)
    tell("mat", apart(damage.MAT, options.seconds, options.seed))
    if found:
        sys.exit("\n".join(found))


def tell(name: str, counts: Counter) -> None:
    """One line of the result."""
    told = ", ".join(f"{number} {outcome}" for outcome, number in sorted(counts.items()))
    print(f"{name}: {counts.total()} inputs, {told}", flush=True)


def fuzzed(target: damage.Target, seconds: float, seed: int) -> tuple[Counter, list[str]]:
    """What came of how many inputs, and the first that should not have."""
    counts: Counter = Counter()
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        target.write(path)
        content, whole = path.read_bytes(), damage.comparable(target.read(path))
        while time.monotonic() < end:
            number = f"{seed}/{counts.total()}"
            wounded = damage.damaged(content, random.Random(number))
            try:
                counts[damage.outcome(target, path, wounded, whole)] += 1
            except Exception as error:
                return counts, [f"{number}: {type(error).__name__}: {error}\n{wounded!r}"]
    return counts, []


def apart(target: damage.Target, seconds: float, seed: int) -> Counter:
    """The same, in processes that may crash; an error that is none of ours counts as one."""
    counts: Counter = Counter()
    context = multiprocessing.get_context("fork")
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        target.write(path)
        content, whole = path.read_bytes(), damage.comparable(target.read(path))
        while time.monotonic() < end:
            reader, writer = context.Pipe(duplex=False)
            numbers = [f"{seed}/{counts.total() + place}" for place in range(BATCH)]
            process = context.Process(
                target=batch, args=(target, path, content, whole, numbers, writer)
            )
            process.start()
            writer.close()
            try:
                while True:
                    counts[reader.recv()] += 1
            except EOFError:
                process.join()
            counts["crashed"] += process.exitcode < 0
    return counts


def batch(target, path, content, whole, numbers, writer) -> None:
    """Tell what came of each input as soon as it is known."""
    for number in numbers:
        wounded = damage.damaged(content, random.Random(number))
        try:
            writer.send(damage.outcome(target, path, wounded, whole))
        except Exception as error:
            writer.send(f"unlike: {type(error).__name__}")


if __name__ == "__main__":
    main()
