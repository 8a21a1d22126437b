"""Methods' own estimates of fits without similar measurements: they time a few training steps."""

import json
import subprocess
import sys
from collections.abc import Sequence

from workflow.cost import costs
from workflow.cost.jobs import Job
from workflow.data import registry

FITS = ("fit", "fit_classes")

Launch = tuple[str, ...]
"""Arguments of `in_env.sh` before a command, as `grid.launch` returns them."""


def seconds(jobs: Sequence[Job]) -> dict[int, float]:
    """Index of a job -> seconds on this machine's CPU, for jobs whose method can estimate them."""
    # Equal fits, as those of several seeds, are timed once.
    fits: dict[tuple[str, Launch], dict[str, list[int]]] = {}
    for index, job in enumerate(jobs):
        if job.rule in FITS and not job.gpu:
            key = (job.wildcards["method"], tuple(job.params["environment"]))
            fits.setdefault(key, {}).setdefault(_description(job), []).append(index)

    estimates = {}
    for (method, launch), descriptions in fits.items():
        answers = _time(method, launch, list(descriptions))
        for answer, indices in zip(answers, descriptions.values(), strict=True):
            if answer is not None:
                estimates |= {
                    index: answer * costs.images_and_models(jobs[index])[1] for index in indices
                }
    return estimates


def _description(job: Job) -> str:
    """Describe a fit for `workflow.fit.time_fits`; equal for seeds and for alike datasets."""
    return json.dumps(
        {
            "settings": json.loads(job.params["settings"]),
            "images": costs.images_and_models(job)[0],
            "input_shape": registry.table()[job.wildcards["dataset"]].shape,
            "memory_gb": job.memory_limit,
        }
    )


def _time(method: str, launch: Launch, descriptions: list[str]) -> list[float | None]:
    """Time fits by a process in the method's environment; None where it cannot estimate."""
    command = ["workflow/run/in_env.sh", *launch, "python", "-m", "workflow.fit.time_fits"]
    answer = subprocess.run(
        [*command, "--method", method],
        input=f"[{', '.join(descriptions)}]",
        stdout=subprocess.PIPE,
        text=True,
    )
    if answer.returncode:
        print(f"{method} could not time its fits; the reason stands above", file=sys.stderr)
        return [None] * len(descriptions)
    return json.loads(answer.stdout)
