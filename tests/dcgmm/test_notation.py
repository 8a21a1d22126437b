"""The notation of Tables V and VI: reading, writing, shapes, and every count of the paper."""

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcgmm import notation, recipes

INSTANCES = {name: recipes.instance(name).layers for name in "ABCDEFG"}
IMAGE = (28, 28, 1)

numbers = st.integers(1, 40)
transforms = st.builds(notation.Folding, numbers, numbers) | st.builds(
    notation.MaxPooling, numbers, numbers
)
gmms = st.integers(1, 12).map(lambda side: notation.GMM(side**2))
classifiers = st.builds(notation.Classifier, numbers)
stacks = st.builds(
    lambda below, gmm, above, top: (*below, gmm, *above, *top),
    st.lists(transforms | gmms, max_size=5),
    gmms,
    st.lists(transforms | gmms, max_size=5),
    st.lists(classifiers, max_size=1),
)


@given(stacks)
def test_what_is_written_is_read_back(layers):
    assert notation.parse(notation.write(layers)) == layers


@given(stacks, st.data())
def test_blanks_mean_nothing(layers, data):
    text = notation.write(layers)
    places = [0, *(i for i, letter in enumerate(text) if letter in "FPGC(),-"), len(text)]
    for place in sorted(data.draw(st.lists(st.sampled_from(places))), reverse=True):
        text = text[:place] + " " + text[place:]
    assert notation.parse(text) == layers


def test_tokens_become_layers():
    assert notation.parse("F(8,2)-G(49)-P(3,2)-C(10)") == (
        notation.Folding(kernel=8, stride=2),
        notation.GMM(components=49),
        notation.MaxPooling(kernel=3, stride=2),
        notation.Classifier(classes=10),
    )


@pytest.mark.parametrize(
    ("token", "problem"),
    [
        ("X(3)", "unknown layer type"),
        ("", "expected one of F(kernel,stride)"),
        ("g(4)", "expected one of"),
        ("G()", "expected one of"),
        ("G(4", "expected one of"),
        ("G(4 9)", "expected one of"),
        ("G(٤)", "expected one of"),
        ("F(3;1)", "expected one of"),
        ("F(3)", "F is written F(kernel,stride)"),
        ("G(4,1)", "G is written G(components)"),
        ("P(2)", "P is written P(kernel,stride)"),
        ("C(10,1)", "C is written C(classes)"),
        ("F(0,1)", "at least 1"),
        ("P(2,0)", "at least 1"),
        ("G(50)", "a perfect square, such as 49 or 64"),
        ("G(3)", "such as 1 or 4"),
        ("C(10)", "only be the last layer"),
    ],
)
@given(st.lists(transforms | gmms, max_size=4), st.integers(0, 3))
def test_a_bad_token_is_named_with_its_position(token, problem, before, blanks):
    text = "".join(f"{layer}-" for layer in before) + " " * blanks
    with pytest.raises(ValueError, match="position") as caught:
        notation.parse(f"{text}{token}-G(4)")
    assert problem in str(caught.value)
    assert f"position {len(text) + 1} ({token!r})" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_dash_too_many_is_an_error_at_the_end():
    with pytest.raises(ValueError, match=r"position 14 \(''\)"):
        notation.parse("F(3,1)-G(25)-")


@pytest.mark.parametrize("text", ["F(3,1)", "P(2,2)-C(10)"])
def test_an_instance_needs_a_gmm(text):
    with pytest.raises(ValueError, match="no cGMM layer"):
        notation.parse(text)


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 4), st.integers(1, 9), numbers)
def test_folding_counts_the_patches_that_fit(height, width, channels, kernel, stride):
    folding = notation.Folding(kernel, stride)
    if kernel > min(height, width):
        with pytest.raises(ValueError, match=f"at most {min(height, width)}"):
            folding.output_shape((height, width, channels))
        return
    fitting = [
        sum(first + kernel <= size for first in range(0, size, stride)) for size in (height, width)
    ]
    assert folding.output_shape((height, width, channels)) == (*fitting, kernel**2 * channels)


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 9), st.integers(0, 8))
def test_pooling_counts_windows_until_all_is_covered(height, width, kernel, overlap):
    stride = max(1, kernel - overlap)

    def windows(size):
        count = 1
        while (count - 1) * stride + kernel < size:
            count += 1
        return count

    pooling = notation.MaxPooling(kernel, stride)
    assert pooling.output_shape((height, width, 5)) == (windows(height), windows(width), 5)


def test_a_kernel_that_does_not_fit_is_an_error_naming_the_layer():
    with pytest.raises(ValueError, match=r"layer 3 of F\(8,2\)-G\(4\)-F\(12,1\)"):
        notation.shapes(notation.parse("F(8,2)-G(4)-F(12,1)-G(4)"), IMAGE)


@pytest.mark.parametrize(
    ("name", "sides"),
    [
        ("A", [1]),
        ("B", [11, 1]),
        ("C", [21, 11, 1]),
        ("D", [26, 13, 10, 5, 1]),
        ("E", [26, 12, 1]),
        ("F", [26, 12, 5, 1]),
        ("G", [26, 13, 11, 6, 4, 2, 1]),
    ],
)
def test_geometry_of_the_instances(name, sides):
    layers = INSTANCES[name]
    shapes = notation.shapes(layers, IMAGE)
    transformed = [
        shape
        for layer, shape in zip(layers, shapes, strict=True)
        if not isinstance(layer, notation.GMM)
    ]
    assert [(height, width) for height, width, _ in transformed] == [(s, s) for s in sides]


def test_channels_along_instance_e():
    channels = [channels for _, _, channels in notation.shapes(INSTANCES["E"], IMAGE)]
    assert channels == [9, 25, 16 * 25, 25, 144 * 25, 49]


TABLE_V = {"A": 38_416, "B": 293_657, "D": 40_850, "E": 186_625, "F": 50_850, "G": 16_375}


@pytest.mark.parametrize(("name", "count"), TABLE_V.items())
def test_centroid_counts_are_those_of_table_v(name, count):
    assert notation.count_parameters(INSTANCES[name], IMAGE) == count


def test_instance_c_runs_with_the_count_of_b_and_table_v_counts_another_folding():
    assert notation.count_parameters(INSTANCES["C"], IMAGE) == 293_657
    printed = notation.parse("F(8,1)-G(49)-P(2,2)-F(10,1)-G(49)")
    assert notation.count_parameters(printed, IMAGE) == 243_236
    assert notation.count_parameters(printed, IMAGE, convention="all") == 486_570


@pytest.mark.parametrize(
    ("name", "count"),
    [("A", 76_881), ("B", 587_412), ("D", 81_799), ("E", 373_349), ("F", 101_824), ("G", 32_874)],
)
def test_counts_with_precisions_and_weights(name, count):
    assert notation.count_parameters(INSTANCES[name], IMAGE, convention="all") == count


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("A", 38_416),
        ("B", 669_977),
        ("C", 1_673_497),
        ("D", 1_167_725),  # the release's D, with 25 components on top
        ("E", 1_768_500),
        ("F", 1_872_725),
        ("G", 927_625),
    ],
)
def test_counts_where_every_position_has_parameters_of_its_own(name, count):
    layers = recipes.instance(name, "released").layers
    everywhere = notation.gmm_indices(layers)
    assert notation.count_parameters(layers, IMAGE, independent=everywhere) == count


def test_an_unknown_convention_is_refused():
    with pytest.raises(ValueError, match="'centroids' or 'all'"):
        notation.count_parameters(INSTANCES["A"], IMAGE, convention="some")


def test_gmm_layers_are_numbered_from_1_transformations_included():
    assert notation.gmm_indices(INSTANCES["D"]) == (2, 5, 8)


@given(st.integers(1, 10_000))
def test_exactly_the_squares_are_accepted_as_numbers_of_components(components):
    if math.isqrt(components) ** 2 == components:
        assert notation.parse(f"G({components})") == (notation.GMM(components),)
    else:
        with pytest.raises(ValueError, match="perfect square"):
            notation.parse(f"G({components})")


def test_notation_and_recipes_need_neither_keras_nor_numpy():
    program = (
        "import sys, dcgmm.notation, dcgmm.recipes; dcgmm.recipes.instance('G');"
        "print([m for m in ('keras', 'numpy', 'tensorflow', 'jax') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("[]\n", "")
