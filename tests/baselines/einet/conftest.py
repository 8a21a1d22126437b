"""The sum-product networks are tested where torch is: elsewhere these files are left out."""

import importlib.util

if importlib.util.find_spec("torch") is None:
    collect_ignore_glob = ["test_*.py"]
else:
    import torch

    torch.set_num_threads(1)  # tests are too small to share
