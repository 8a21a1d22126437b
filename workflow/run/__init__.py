"""Start a run in its environment, and report at its end what is missing."""
