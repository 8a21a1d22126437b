"""The published settings as data, and what a recipe refuses."""

import dataclasses

import pytest

from dcgmm import notation, recipes
from dcgmm.recipes import Annealing, Recipe

LAMBDAS = {"A": (0.5, 0.5), **dict.fromkeys("BCDE", (0.2, 0.1)), **dict.fromkeys("FG", (0.0, 0.1))}
EPOCHS = {"A": 80, "B": 80, "C": 15, "D": 20, "E": 80, "F": 80, "G": 25}


def test_every_instance_of_table_v_has_both_recipes():
    assert recipes.instance_names() == list("ABCDEFG")
    for name in "ABCDEFG":
        assert recipes.recipe_names(name) == ["paper", "released"]


def test_defaults_are_those_of_the_release():
    recipe = Recipe()
    assert (recipe.batch_size, recipe.mu_init, recipe.max_precision) == (100, 0.1, 20)
    assert (recipe.learning_rate, recipe.final_learning_rate) == (0.011, 0.01)
    assert (recipe.lambda_mu, recipe.lambda_pi, recipe.lambda_sigma) == (1, 0.2, 0.1)
    assert recipe.shuffle == "epoch"
    assert 0 < recipe.min_precision < 1
    assert dataclasses.astuple(Annealing()) == (100, 0.9, 0.05, 0.01)


@pytest.mark.parametrize("recipe", ["paper", "released"])
@pytest.mark.parametrize("name", "ABCDEFG")
def test_learning_rates_and_epochs_are_those_of_the_scripts(name, recipe):
    settings = recipes.instance(name, recipe).recipe
    assert (settings.lambda_pi, settings.lambda_sigma) == LAMBDAS[name]
    assert settings.epochs == EPOCHS[name]


@pytest.mark.parametrize("name", "ABCDEFG")
def test_the_papers_recipe_shares_everywhere_and_delays_a_tenth_a_layer_below(name):
    published = recipes.instance(name)
    count = len(notation.gmm_indices(published.layers))
    assert published.recipe.independent == (False,) * count
    assert published.recipe.waits == tuple(m / 10 for m in range(count))
    assert published.recipe.shuffle == "epoch"
    assert published.layers[-1] == notation.GMM(49)


@pytest.mark.parametrize(
    ("name", "waits"),
    [
        ("A", (0,)),
        ("B", (0, 0.1)),
        ("C", (0, 0.1)),
        ("D", (0, 0.1, 0.2)),
        ("E", (0, 0.1, 0.2)),
        ("F", (0, 0.1, 0.2, 0)),
        ("G", (0, 0.1, 0.15, 0.2)),
    ],
)
def test_the_released_recipe_has_the_scripts_delays_and_independent_lower_layers(name, waits):
    released = recipes.instance(name, "released")
    assert released.recipe.waits == waits
    assert released.recipe.independent == (True,) * (len(waits) - 1) + (False,)
    assert released.recipe.shuffle == "once"
    assert released.layers[-1] == notation.GMM(25 if name == "D" else 49)
    assert released.layers[:-1] == recipes.instance(name).layers[:-1]


@pytest.mark.parametrize("name", "ABCDEFG")
def test_published_counts_are_those_that_run_except_for_c(name):
    published = recipes.instance(name)
    runs = notation.count_parameters(published.layers, (28, 28, 1))
    if name == "C":
        assert (published.published_parameters, runs) == (243_236, 293_657)
        assert "F(10,1)" in published.note
    else:
        assert published.published_parameters == runs


@pytest.mark.parametrize(
    ("name", "recipe", "independent", "shapes", "centroids"),
    [
        ("A-svhn", "paper", (False,), [(1, 1, 3072), (1, 1, 100)], 3072 * 100),
        ("A-svhn", "released", (False,), [(1, 1, 3072), (1, 1, 100)], 3072 * 100),
        *(
            (
                "B-svhn",
                recipe,
                (True, False),
                [(5, 5, 432), (5, 5, 64), (1, 1, 1600), (1, 1, 100)],
                25 * 432 * 64 + 1600 * 100,
            )
            for recipe in ("paper", "released")
        ),
    ],
)
def test_the_instances_of_figure_7_are_for_svhn(name, recipe, independent, shapes, centroids):
    published = recipes.instance(name, recipe)
    assert published.input_shape == (32, 32, 3)
    assert notation.shapes(published.layers, published.input_shape) == shapes
    assert published.recipe.independent == independent
    own = published.recipe.independent_layers(published.layers)
    count = notation.count_parameters(published.layers, published.input_shape, independent=own)
    assert count == centroids
    assert published.recipe.epochs == 120
    assert published.recipe.waits == tuple(m / 10 for m in range(len(independent)))
    lambdas = (published.recipe.lambda_pi, published.recipe.lambda_sigma)
    assert lambdas == LAMBDAS[name[0]]
    assert published.published_parameters is None


def test_figure_7_is_drawn_as_the_script_does():
    assert recipes.colour_names() == ["A-svhn", "B-svhn"]
    assert all(recipes.recipe_names(name) == ["paper", "released"] for name in ("A-svhn", "B-svhn"))
    a, paper = (recipes.instance(name).sampling for name in ("A-svhn", "B-svhn"))
    released = recipes.instance("B-svhn", "released").sampling
    assert (a.noise, paper.noise, released.noise) == ((0.1,), (0.05, 0.05), (0.05, 0.05))
    assert paper.keep == released.keep == (3, 3)
    assert (paper.semantics, released.semantics) == ("clean", "released")
    sharpening = released.sharpening
    assert sharpening.targets == (2, 4)
    assert sharpening.iterations == (300, 0), "the script sharpens at L1 alone"
    assert (sharpening.step[0], sharpening.omega[0]) == (0.02, 0.1)
    assert paper.sharpening.step == (0.01, 0.01), "the text's rate of 1.0"


def test_waits_and_sharing_have_defaults_by_the_papers_rule():
    layers = notation.parse("G(4)-G(4)-G(4)-G(4)")
    recipe = Recipe().for_layers(layers)
    assert recipe.waits == (0, 0.1, 0.2, 0.3)
    assert recipe.independent == (False,) * 4


@pytest.mark.parametrize("changes", [{"waits": (0.0,)}, {"independent": (True, False, True)}])
def test_as_many_waits_and_sharings_as_gmms_are_needed(changes):
    (name,) = changes
    with pytest.raises(ValueError, match=f"{len(changes[name])} {name}, but .* has 2 cGMM layers"):
        Recipe(**changes).for_layers(notation.parse("G(4)-G(4)"))


def test_updated_changes_a_copy_and_keeps_the_rest_of_annealing():
    recipe = Recipe().updated(epochs=3, annealing={"window": 7})
    assert (recipe.epochs, recipe.batch_size) == (3, 100)
    assert recipe.annealing == Annealing(window=7)
    assert Recipe().epochs == 25


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        (
            lambda: recipes.instance("none-such"),
            "unknown instance 'none-such'; known are A, B, C, D, E, F, G",
        ),
        (lambda: recipes.instance("a"), "unknown instance 'a'"),
        (lambda: recipes.instance("A", "papper"), "did you mean 'paper'"),
        (lambda: recipes.instance("A", "release"), "did you mean 'released'"),
        (lambda: recipes.recipe_names("Z"), "unknown instance 'Z'"),
        (lambda: Recipe().updated(epoch=3), "did you mean 'epochs'"),
        (lambda: Recipe().updated(lambda_sigmas=3), "did you mean 'lambda_sigma'"),
        (lambda: Recipe().updated(annealing={"windows": 3}), "did you mean 'window'"),
    ],
)
def test_an_unknown_name_is_answered_with_a_known_one(ask, answer):
    with pytest.raises(ValueError, match="unknown") as caught:
        ask()
    assert answer in str(caught.value)


@pytest.mark.parametrize(
    "bad",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"shuffle": "never"},
        {"waits": (0.0, 1.5)},
        {"waits": (-0.1,)},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"learning_rate": 0.005},  # below final_learning_rate
        {"final_learning_rate": 0.0},
        {"lambda_mu": -1.0},
        {"lambda_pi": -1.0},
        {"lambda_sigma": float("nan")},
        {"mu_init": -0.1},
        {"min_precision": 0.0},
        {"min_precision": 30.0},  # above max_precision
        {"annealing": {"window": 1}},
        {"annealing": {"factor": 1.0}},
        {"annealing": {"tolerance": 0.0}},
        {"annealing": {"final_radius": 0.0}},
    ],
)
def test_a_bad_value_is_refused_in_one_sentence_that_shows_it(bad):
    with pytest.raises(ValueError, match="but must be") as caught:
        Recipe().updated(**bad)
    assert "\n" not in str(caught.value)
    value = next(iter(bad.values()))
    shown = repr(next(iter(value.values())) if isinstance(value, dict) else value)
    assert shown in str(caught.value) or "learning_rate" in bad


def test_waiting_for_ever_is_allowed():
    assert Recipe(waits=[0, 1]).waits == (0, 1)
