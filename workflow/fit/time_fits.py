"""What a method expects its fits to take on this machine, in seconds; JSON from input to output."""

import argparse
import json
import math
import sys
from typing import Any

from workflow.common.command_line import plain_errors
from workflow.fit import fitting, limits, methods


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argparse.ArgumentParser(prog="python -m workflow.fit.time_fits", description=__doc__)
    parser.add_argument("--method", required=True)
    options = parser.parse_args(arguments)
    fitting.use_device("cpu")
    with plain_errors(parser.prog):
        answers = [seconds(options.method, asked) for asked in json.load(sys.stdin)]
    print(json.dumps(answers))


def seconds(method: str, asked: dict[str, Any]) -> float | None:
    """Of one fit: none if it would be refused for its memory, None if the method cannot tell."""
    model = methods.create(method, asked["settings"], tuple(asked["input_shape"]))
    allowed = {"memory_gb": asked["memory_gb"], "hours": math.inf}
    try:
        hours = limits.check(model, asked["images"], allowed).get("hours")
    except limits.RefusedError:
        return 0.0
    return None if hours is None else 3600 * hours


if __name__ == "__main__":
    main()
