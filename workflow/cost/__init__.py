"""Time and memory of jobs: measured afterwards, estimated beforehand."""
