"""What jobs take: measured, and estimated beforehand."""
