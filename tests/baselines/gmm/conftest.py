"""The mixtures are tested where scikit-learn is: elsewhere these files are left out."""

import importlib.util

if importlib.util.find_spec("sklearn") is None:
    collect_ignore_glob = ["test_*.py"]
