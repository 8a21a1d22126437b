"""The judge is tested where Keras and TensorFlow are: elsewhere these files are left out."""

import importlib.util

if importlib.util.find_spec("tensorflow") is None:
    collect_ignore_glob = ["test_*.py"]
