"""What TensorFlow makes of a compiled program that is cut short."""

import os
import subprocess
import sys

PROGRAM = """
from workflow.common import compiled
with compiled.verified_cache():
    import tensorflow as tf
    double = tf.function(lambda x: tf.linalg.matmul(x, x) + 1, jit_compile=True)
    print(float(double(tf.eye(3))[0, 0]))
"""


def test_a_program_cut_short_is_compiled_again(tmp_path):
    flags = f"--tf_xla_persistent_cache_directory={tmp_path}"
    flags += " --tf_xla_persistent_cache_device_types=CPU"
    variables = os.environ | {"XLA_CACHE": str(tmp_path), "TF_XLA_FLAGS": flags}

    def run(program=PROGRAM):
        command = [sys.executable, "-c", program]
        return subprocess.run(command, env=variables, capture_output=True, text=True)

    assert run().stdout == "2.0\n"
    (entry,) = tmp_path.glob("*.pb")
    entry.write_bytes(entry.read_bytes()[:500])
    assert run(PROGRAM.replace("compiled.verified_cache()", "open('/dev/null')")).returncode != 0
    assert run().stdout == "2.0\n"
    (entry,) = tmp_path.glob("*.pb")
    assert entry.stat().st_size > 500
