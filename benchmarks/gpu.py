"""Time training steps of the DCGMM and of the sum-product networks on a GPU, against its limits.

    KERAS_BACKEND=jax python -m benchmarks.gpu dcgmm                  # A-G, 1 and 5 seeds
    python -m benchmarks.gpu networks --cases RAT-10-4-10 PD-40       # through torch

Two floors stand beside every step of a DCGMM: the arithmetic of its matrix products, 8 N P K D
operations a layer, at the rate of a large float32 product measured in the same run, and its bytes,
each layer's features, scores and parameters read or written as often as the products alone need
them, at the rate of a large copy. Steps are those of a compiled epoch, 540 of batch 100 on 54,000
images, all layers learning; the best of several epochs, since other programs can only slow it.
"""

import argparse
import statistics
import subprocess
import time
from collections.abc import Callable
from typing import Any

from benchmarks.step_time import every_layer_learning, operations, random_images

BATCH = 100


def main() -> None:
    """Print a Markdown table."""
    arguments = _arguments()
    if arguments.what == "networks":
        networks(arguments.cases or sorted(_grid(), key=_operations), arguments.seconds)
    else:
        dcgmm(arguments)


def dcgmm(arguments: argparse.Namespace) -> None:
    """Steps of all instances."""
    flops, bandwidth = limits()
    rates = f"float32 products {flops / 1e12:.1f} TFLOP/s, copies {bandwidth / 1e12:.2f} TB/s"
    print(f"{_device()}: {rates}")
    print("| instance | recipe | seeds | compile s | annealing us | annealed us | a seed us"
          " | arithmetic us | bytes us | x floor |")  # fmt: skip
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for instance in arguments.instances:
        for recipe in arguments.recipes:
            for seeds in arguments.seeds:
                arithmetic = seeds * operations(instance, recipe) / flops * 1e6
                moved = seeds * moved_bytes(instance, recipe) / bandwidth * 1e6
                found = measure(instance, recipe, seeds, arguments.steps)
                step = found["annealed"]
                print(
                    f"| {instance} | {recipe} | {seeds} | {found['compile']:.1f} "
                    f"| {found['annealing']:.0f} | {step:.0f} | {step / seeds:.0f} "
                    f"| {arithmetic:.1f} | {moved:.1f} | {step / max(arithmetic, moved):.1f} |",
                    flush=True,
                )


def moved_bytes(instance: str, recipe: str) -> int:
    """Bytes that the products of one step read and write at least, at batch 100.

    A layer's features are written once and read twice, its scores written, and read by the softmax
    and by the choice of winners, whose results are written and read once more; parameters are read
    and written.
    """
    from dcgmm import notation
    from dcgmm.recipes import instance as published

    known = published(instance, recipe)
    inputs = [(28, 28, 1), *notation.shapes(known.layers, (28, 28, 1))]
    own = known.recipe.independent_layers(known.layers)
    total = 0
    for i in notation.gmm_indices(known.layers):
        height, width, depth = inputs[i - 1]
        components = known.layers[i - 1].components
        parameters = 2 * depth * components * (height * width if i in own else 1)
        features, scores = (height * width * BATCH * n for n in (2 * depth, components))
        total += 4 * (3 * features + 6 * scores + 2 * parameters)
    return total


def measure(instance: str, recipe: str, seeds: int, steps: int) -> dict[str, float]:
    """Microseconds of a step of so many seeds, while the smoothing lasts and after it."""
    import jax
    import numpy as np
    from keras import ops

    from dcgmm import learning, pixels

    model = every_layer_learning(instance, recipe)
    loop = learning.training_loop(model.layers, model.recipe, (28, 28, 1), steps)
    images = ops.convert_to_tensor(pixels.packed(random_images(54000).reshape(54000, -1)))
    order = np.random.default_rng(1)
    orders = [order.integers(0, 54000, (steps, BATCH)).astype("int32") for _ in range(seeds)]
    first = ops.convert_to_tensor(np.int32(0))
    result = {}
    for name, radius in (("annealing", None), ("annealed", 0.01)):
        starts = [_at(model.network.start(seed), radius) for seed in range(seeds)]
        owns = list(zip(starts, map(ops.convert_to_tensor, orders), strict=True))
        begin = time.perf_counter()
        jax.block_until_ready(loop(owns, images, first))
        result.setdefault("compile", time.perf_counter() - begin)
        result[name] = (
            1e6 / steps * _best(lambda o=owns: jax.block_until_ready(loop(o, images, first)))
        )
    return result


def _at(states: tuple, radius: float | None) -> tuple:
    """States whose smoothing has come to a radius."""
    import numpy as np
    from keras import ops

    if radius is None:
        return states
    radius = ops.convert_to_tensor(np.float32(radius))
    return tuple(s._replace(annealing=s.annealing._replace(radius=radius)) for s in states)


def limits() -> tuple[float, float]:
    """Operations a second of a large float32 product, and bytes a second of a large copy."""
    import jax
    import jax.numpy as jnp

    n = 8192
    a, b = (jax.random.normal(jax.random.key(i), (n, n)) for i in (0, 1))
    multiply = jax.jit(lambda a, b: jnp.matmul(a, b, precision="highest"))
    copy = jax.jit(lambda a: a + 1)
    flat = jax.random.normal(jax.random.key(2), (2**29,))
    seconds = [
        _best(lambda: multiply(a, b).block_until_ready()),
        _best(lambda: copy(flat).block_until_ready()),
    ]
    return 2 * n**3 / seconds[0], 2 * flat.nbytes / seconds[1]


def networks(cases: list[str], seconds: float) -> None:
    """An EM step of every circuit, by torch's CUDA."""
    import torch

    print(f"{_device()}, torch {torch.__version__}; batch 100, binomial leaves, medians")
    print("| case | parameters | launched ms | replayed ms | s an epoch of 45,000 images"
          " | peak MB of the GPU |")  # fmt: skip
    print("|---|---:|---:|---:|---:|---:|")
    for case in cases:
        print(network_row(case, seconds), flush=True)


def network_row(case: str, seconds: float) -> str:
    """One line of the table."""
    import torch

    from baselines.einet import cost, learning, replay
    from baselines.einet.circuit import Circuit
    from baselines.einet.families import Binomial
    from benchmarks.spn_step import structure

    graph, components = structure(case)
    torch.cuda.reset_peak_memory_stats()
    circuit = Circuit(graph, components, Binomial(), device=torch.device("cuda"))
    rule = learning.OnlineEM(circuit, 0.1)
    x = torch.randint(0, 256, (10, BATCH, 784), device="cuda").float()
    plain = _step_seconds(lambda batch: learning.learn(circuit, batch, rule), x, seconds)
    median = _step_seconds(replay.stepper(circuit, rule, BATCH), x, seconds)
    return (
        f"| {case} | {cost.count_parameters(graph, components, Binomial()):,} "
        f"| {1e3 * plain:.2f} | {1e3 * median:.2f} | {450 * median:.1f} "
        f"| {torch.cuda.max_memory_allocated() / 1e6:.0f} |"
    )


def _step_seconds(learn: Callable, batches: Any, seconds: float) -> float:
    """Median of a step, the GPU being waited for after ten."""
    import torch

    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < 4 or time.perf_counter() < end:
        torch.cuda.synchronize()
        start = time.perf_counter()
        for batch in batches:
            learn(batch)
        torch.cuda.synchronize()
        times.append((time.perf_counter() - start) / len(batches))
    return statistics.median(times[1:])


def _best(run: Callable, repeats: int = 3) -> float:
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def _device() -> str:
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _grid() -> set[str]:
    from benchmarks.spn_step import grid_cases

    return grid_cases()


def _operations(case: str) -> int:
    from benchmarks.spn_step import operations

    return operations(case)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["dcgmm", "networks"])
    parser.add_argument("--instances", nargs="+", default=list("ABCDEFG"))
    parser.add_argument("--recipes", nargs="+", default=["paper", "released"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 5])
    parser.add_argument("--steps", type=int, default=540, help="in one compiled call")
    parser.add_argument("--cases", nargs="+", help="as in benchmarks.spn_step; default: its grid")
    parser.add_argument("--seconds", type=float, default=1.0, help="a network, after three steps")
    return parser.parse_args()


if __name__ == "__main__":
    main()
