"""Estimate the seconds of a method's fits on this machine; JSON on input and output."""

import json
import math
import sys
from typing import Any

from workflow.common.command_line import argument_parser, plain_errors
from workflow.fit import fitting, limits, methods


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = argument_parser(__spec__, __doc__)
    parser.add_argument("--method", required=True)
    options = parser.parse_args(arguments)
    fitting.use_device("cpu")
    with plain_errors(parser.prog):
        estimates = [seconds(options.method, request) for request in json.load(sys.stdin)]
    print(json.dumps(estimates))


def seconds(method: str, request: dict[str, Any]) -> float | None:
    """Estimate one fit: 0 if its memory would be refused, None if the method cannot estimate."""
    model = methods.create(method, request["settings"], tuple(request["input_shape"]))
    allowed = {"memory_gb": request["memory_gb"], "hours": math.inf}
    try:
        hours = limits.check(model, request["images"], allowed).get("hours")
    except limits.RefusedError:
        return 0.0
    return None if hours is None else 3600 * hours


if __name__ == "__main__":
    main()
