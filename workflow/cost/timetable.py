"""How long jobs take side by side."""

import heapq
from collections.abc import Mapping, Sequence

from workflow.cost.jobs import Job


def hours(jobs: Sequence[Job], seconds: Mapping[int, float], cores: int, gpus: int = 1) -> float:
    """Hours until the last job is done if whatever is ready and fits starts at once.

    Args:
        jobs: in any order; what they need and is not among them is done already.
        seconds: number of a job -> how long it takes.
        cores: that they share; a job with more threads takes all of them.
        gpus: that they share.
    """
    waiting = {job.number: set(job.needs) & {each.number for each in jobs} for job in jobs}
    ready = [job for job in jobs if not waiting[job.number]]
    running: list[tuple[float, int]] = []
    by_number = {job.number: job for job in jobs}
    followers: dict[int, list[int]] = {}
    for number, needs in waiting.items():
        for need in needs:
            followers.setdefault(need, []).append(number)
    now, free = 0.0, [cores, gpus]
    while ready or running:
        left = []
        for job in ready:
            wanted = (min(job.threads, cores), job.gpu)
            if wanted[0] <= free[0] and wanted[1] <= free[1]:
                free = [free[0] - wanted[0], free[1] - wanted[1]]
                heapq.heappush(running, (now + seconds[job.number], job.number))
            else:
                left.append(job)
        ready = left
        now, number = heapq.heappop(running)
        done = by_number[number]
        free = [free[0] + min(done.threads, cores), free[1] + done.gpu]
        for follower in followers.get(number, []):
            waiting[follower].discard(number)
            if not waiting[follower]:
                ready.append(by_number[follower])
    return now / 3600
