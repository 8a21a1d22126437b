"""What methods say themselves of fits that nothing like was measured of: they time a few steps."""

import json
import subprocess
import sys
from collections.abc import Sequence

from workflow.cost import costs
from workflow.cost.jobs import Job
from workflow.data import names

FITS = ("fit", "fit_classes")

Launch = tuple[str, ...]
"""What `in_env.sh` is told before a command, as `grid.launch` says it."""


def seconds(jobs: Sequence[Job]) -> dict[int, float]:
    """Index of a job -> seconds on this machine's CPU, for those whose method can tell."""
    asked: dict[tuple[str, Launch], dict[str, list[int]]] = {}
    for index, job in enumerate(jobs):
        if job.rule in FITS and not job.gpu:
            key = (job.wildcards["method"], tuple(job.params["environment"]))
            asked.setdefault(key, {}).setdefault(_question(job), []).append(index)
    told = {}
    for (method, launch), questions in asked.items():
        answers = _ask(method, launch, list(questions))
        for answer, alike in zip(answers, questions.values(), strict=True):
            if answer is not None:
                told |= {index: answer * costs.images(jobs[index])[1] for index in alike}
    return told


def _question(job: Job) -> str:
    """A fit as `workflow.fit.time_fits` is asked for it; seeds and datasets of a kind are one."""
    return json.dumps(
        {
            "settings": json.loads(job.params["settings"]),
            "images": costs.images(job)[0],
            "input_shape": names.table()[job.wildcards["dataset"]].shape,
            "memory_gb": job.memory_limit,
        }
    )


def _ask(method: str, launch: Launch, questions: list[str]) -> list[float | None]:
    """Seconds of each, by a process in the method's environment; None where it cannot tell."""
    command = ["workflow/run/in_env.sh", *launch, "python", "-m", "workflow.fit.time_fits"]
    answer = subprocess.run(
        [*command, "--method", method],
        input=f"[{', '.join(questions)}]",
        stdout=subprocess.PIPE,
        text=True,
    )
    if answer.returncode:
        print(f"{method} could not time its fits; the reason stands above", file=sys.stderr)
        return [None] * len(questions)
    return json.loads(answer.stdout)
