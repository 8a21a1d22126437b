"""Time one training step of the instances of Table V against the textbook formulation.

    python -m benchmarks.step_time                         # A-G, both recipes
    python -m benchmarks.step_time --instances E --recipes released --threads 1

Every case runs in a process of its own, alternating with its competitor, full-size images, batch
100, all layers learning. The floor is the time that the four matrix products of every layer,
8 N P K D operations, would take at the rate of a large square product measured in the same run.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

FORMULATIONS = ("fast", "annealing", "plain")


def main() -> None:
    """Measure every requested case and print a Markdown table."""
    arguments = _arguments()
    if arguments.case:
        print(json.dumps(measure(*arguments.case, arguments.threads, arguments.seconds)))
        return
    rate = run_case(["sgemm", "-", "-"], arguments)["gflops"]
    print(f"{arguments.threads} threads, matrix products at {rate:.0f} GFLOP/s; medians")
    print("| instance | recipe | plain ms | ours ms | annealing ms | ratio | floor ms | x floor"
          " | plain MB | ours MB |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|---|")
    for instance in arguments.instances:
        for recipe in arguments.recipes:
            cases = {f: run_case([instance, recipe, f], arguments) for f in FORMULATIONS}
            print(row(instance, recipe, cases, rate), flush=True)


def row(instance: str, recipe: str, cases: dict, rate: float) -> str:
    """One line of the table."""
    floor = operations(instance, recipe) / rate / 1e6
    fast, annealing, plain = (cases[f]["ms"] for f in FORMULATIONS)
    return (
        f"| {instance} | {recipe} | {plain:.1f} | {fast:.2f} | {annealing:.2f} "
        f"| {plain / fast:.1f} | {floor:.2f} | {fast / floor:.1f} "
        f"| {cases['plain']['mb']:.0f} | {cases['fast']['mb']:.0f} |"
    )


def operations(instance: str, recipe: str) -> int:
    """Floating-point operations of the matrix products of one step at batch 100."""
    from dcgmm import notation
    from dcgmm.recipes import instance as published

    layers = published(instance, recipe).layers
    inputs = [(28, 28, 1), *notation.shapes(layers, (28, 28, 1))]
    return sum(
        8 * 100 * inputs[i - 1][0] * inputs[i - 1][1] * inputs[i - 1][2] * layers[i - 1].components
        for i in notation.gmm_indices(layers)
    )


def run_case(case: list[str], arguments: argparse.Namespace) -> dict:
    """Measure one case in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.step_time", "--case", *case]
    command += ["--threads", str(arguments.threads), "--seconds", str(arguments.seconds)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(output.stdout.splitlines()[-1])


def measure(instance: str, recipe: str, formulation: str, threads: int, seconds: float) -> dict:
    """Median milliseconds a step and peak resident memory of this process."""
    limit_threads(threads)
    if instance == "sgemm":
        return {"gflops": product_rate()}
    prepare = prepare_plain if formulation == "plain" else prepare_fast
    steps, run = prepare(instance, recipe, annealed=formulation != "annealing")
    run()  # compiles
    times = []
    end = time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) / steps)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    return {"ms": 1e3 * statistics.median(times), "mb": peak}


def prepare_fast(instance: str, recipe: str, annealed: bool) -> tuple[int, Callable]:
    """Twenty steps of the suite's training loop on resident images of full MNIST's size."""
    import numpy as np
    from keras import ops

    from dcgmm import learning, pixels

    model = every_layer_learning(instance, recipe)
    loop = learning.training_loop(model.layers, model.recipe, (28, 28, 1), 20)
    images = ops.convert_to_tensor(pixels.packed(random_images(54000).reshape(54000, -1)))
    order = np.random.default_rng(1).integers(0, 54000, (20, 100)).astype("int32")
    states = model.network.states()
    if annealed:
        final = ops.convert_to_tensor(np.float32(0.01))
        states = tuple(s._replace(annealing=s.annealing._replace(radius=final)) for s in states)
    order, first = ops.convert_to_tensor(order), ops.convert_to_tensor(np.int32(0))
    return 20, lambda: np.asarray(loop([(states, order)], images, first)[0][1])


def prepare_plain(instance: str, recipe: str, annealed: bool) -> tuple[int, Callable]:
    """One step of the textbook formulation."""
    import keras
    import numpy as np
    from keras import ops

    from benchmarks.plain import plain_step

    model = every_layer_learning(instance, recipe)
    start, step = plain_step(model)
    parameters = keras.tree.map_structure(ops.convert_to_tensor, start)
    radii = ops.convert_to_tensor(np.full(len(start), 0.01, "float32"))
    images = ops.convert_to_tensor(random_images(100))
    return 1, lambda: [np.asarray(loss) for loss in step(parameters, radii, images)[1]]


def every_layer_learning(instance: str, recipe: str):
    """An instance without delays."""
    from dcgmm import DCGMM, recipes

    layers = recipes.instance(instance, recipe).recipe.waits
    return DCGMM.from_instance(instance, recipe, waits=(0.0,) * len(layers))


def random_images(count: int):
    """Images [count, 28, 28, 1] of noise, bytes over 255 as float32."""
    import numpy as np

    pixels = np.random.default_rng(0).integers(0, 256, (count, 28, 28, 1), dtype="uint8")
    return np.divide(pixels, 255, dtype="float32")


def product_rate() -> float:
    """GFLOP/s of a 2048 x 2048 matrix product, the best of several."""
    import numpy as np
    from keras import ops

    a = ops.convert_to_tensor(np.random.default_rng(0).random((2048, 2048), dtype="float32"))
    best = 1e9
    for _ in range(10):
        start = time.perf_counter()
        np.asarray(ops.matmul(a, a)[0, 0])
        best = min(best, time.perf_counter() - start)
    return 2 * 2048**3 / best / 1e9


def limit_threads(threads: int) -> None:
    """Give the backend as many threads as asked for."""
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instances", nargs="+", default=list("ABCDEFG"))
    parser.add_argument("--recipes", nargs="+", default=["released", "paper"])
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seconds", type=float, default=3.0, help="per case, after compilation")
    parser.add_argument("--case", nargs=3, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
