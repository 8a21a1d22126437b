"""How long jobs take side by side."""

import heapq
import itertools
from collections.abc import Sequence

from workflow.cost.jobs import Job


def hours(jobs: Sequence[tuple[Job, float]], cores: int) -> float:
    """Hours until the last job is done if the longest begin first, each as soon as it fits.

    What waits for other jobs is short beside them, so that no order is kept.

    Args:
        jobs: each with its seconds.
        cores: that they share; a job with more threads takes all, and one at a time the GPU.
    """
    waiting = sorted(jobs, key=lambda pair: -pair[1])
    running: list[tuple[float, int, Job]] = []  # when it ends; numbers, as jobs have no order
    now, free, gpus, number = 0.0, cores, 1, itertools.count()
    while waiting or running:
        left = []
        for job, seconds in waiting:
            if min(job.threads, cores) <= free and job.gpu <= gpus:
                free, gpus = free - min(job.threads, cores), gpus - job.gpu
                heapq.heappush(running, (now + seconds, next(number), job))
            else:
                left.append((job, seconds))
        waiting = left
        now, _, done = heapq.heappop(running)
        free, gpus = free + min(done.threads, cores), gpus + done.gpu
    return now / 3600
