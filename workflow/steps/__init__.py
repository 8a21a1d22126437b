"""One command-line program per rule: `python -m workflow.steps.NAME --help`."""
