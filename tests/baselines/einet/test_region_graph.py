"""Every partition splits its region into two, and the counts are the published ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from baselines.einet.region_graph import poon_domingos, random_binary_trees


def pixel_sets(graph):
    """The pixels of every region, after checking each partition of it."""
    sets = [frozenset(leaf.tolist()) for leaf in graph.leaves]
    assert all(len(s) == len(leaf) > 0 for s, leaf in zip(sets, graph.leaves, strict=True))
    for layer in graph.layers:
        for children in zip(layer.left.T, layer.right.T, strict=True):
            unions = {sets[a] | sets[b] for a, b in zip(*children, strict=True)}
            assert all(not sets[a] & sets[b] for a, b in zip(*children, strict=True))
            assert len(unions) == 1
            sets.append(unions.pop())
    return sets


@given(st.integers(1, 6), st.integers(2, 6), st.integers(1, 5), st.integers(1, 3), st.data())
def test_trees_split_all_pixels_evenly(height, width, depth, repetitions, data):
    depth = min(depth, (height * width).bit_length() - 1)
    graph = random_binary_trees((height, width), depth, repetitions, data.draw(st.integers(0, 99)))
    assert len(graph.leaves) == repetitions * 2**depth
    sizes = [len(leaf) for leaf in graph.leaves]
    assert max(sizes) - min(sizes) <= 1
    sets = pixel_sets(graph)
    assert sets[-1] == frozenset(range(height * width))
    assert len(sets) == graph.n_regions + 1
    assert graph.layers[-1].left.shape == (repetitions, 1)


def test_trees_differ_between_repetitions_and_seeds_but_not_otherwise():
    a, b, c = (random_binary_trees((4, 4), 2, 2, seed) for seed in (0, 0, 1))
    assert all(np.array_equal(x, y) for x, y in zip(a.leaves, b.leaves, strict=True))
    assert not np.array_equal(a.leaves[0], c.leaves[0])
    assert not np.array_equal(a.leaves[0], a.leaves[4])


def test_the_deepest_tree_of_the_paper_has_leaves_of_one_or_two_pixels():
    graph = random_binary_trees((28, 28), 9, 1)
    assert {len(leaf) for leaf in graph.leaves} == {1, 2}


def test_strips_of_the_paper():
    graph = poon_domingos((28, 28), 7, axes=(1,))
    assert [len(leaf) for leaf in graph.leaves] == [28 * 7] * 4
    assert graph.leaves[1].reshape(28, 7)[2].tolist() == list(range(2 * 28 + 7, 2 * 28 + 14))
    assert [layer.left.shape for layer in graph.layers] == [(1, 3), (2, 2), (3, 1)]
    assert pixel_sets(graph)[-1] == frozenset(range(784))


@pytest.mark.parametrize("axes, regions", [((0,), 3), ((1,), 6), ((0, 1), 18)])
def test_rectangles_are_all_those_on_the_grid(axes, regions):
    graph = poon_domingos((4, 6), 2, axes)
    sets = pixel_sets(graph)
    assert len(sets) == len(set(sets)) == regions
    assert sets[-1] == frozenset(range(24))


@pytest.mark.parametrize(
    "build, message",
    [
        (lambda: random_binary_trees((28, 28), 10, 1), "depth 10 is too large .* at most 9"),
        (lambda: random_binary_trees((28, 28), 0, 1), "depth must be .* but is 0"),
        (lambda: random_binary_trees((28, 28), 2, 0), "repetitions must be .* but is 0"),
        (lambda: random_binary_trees((28, 28), 2.0, 1), r"depth must be .* but is 2\.0"),
        (lambda: random_binary_trees((1, 1), 1, 1), "too large"),
        (lambda: poon_domingos((28, 28), 5, (1,)), "delta 5 does not divide the 28 pixels"),
        (lambda: poon_domingos((28, 28), 28), "one piece"),
        (lambda: poon_domingos((28, 28), 56), "does not divide"),
        (lambda: poon_domingos((28, 28), 7, (2,)), "axes must be 0"),
        (lambda: poon_domingos((28, 28), 7, ()), "axes must be 0"),
        (lambda: poon_domingos((28, 28), 0), "delta must be .* but is 0"),
    ],
)
def test_bad_structures_are_refused_in_one_sentence(build, message):
    with pytest.raises(ValueError, match=message):
        build()
