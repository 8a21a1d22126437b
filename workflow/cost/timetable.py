"""Time that jobs take when they run side by side."""

import heapq
import itertools
from collections.abc import Sequence

from workflow.cost.jobs import Job


def hours(jobs: Sequence[tuple[Job, float]], cores: int) -> float:
    """Hours until the last job ends if the longest start first, each as soon as it fits.

    Dependencies are ignored, since jobs that wait for others are short beside them.

    Args:
        jobs: each with its seconds.
        cores: that they share; a job with more threads takes all of them. One job at a time uses
            the GPU.
    """
    waiting = sorted(jobs, key=lambda pair: -pair[1])
    running: list[tuple[float, int, Job]] = []  # end, a number since jobs have no order, job
    now, free, gpus, number = 0.0, cores, 1, itertools.count()
    while waiting or running:
        postponed = []
        for job, seconds in waiting:
            if min(job.threads, cores) <= free and min(job.gpu, 1) <= gpus:
                free, gpus = free - min(job.threads, cores), gpus - min(job.gpu, 1)
                heapq.heappush(running, (now + seconds, next(number), job))
            else:
                postponed.append((job, seconds))
        waiting = postponed
        now, _, done = heapq.heappop(running)
        free, gpus = free + min(done.threads, cores), gpus + min(done.gpu, 1)
    return now / 3600
