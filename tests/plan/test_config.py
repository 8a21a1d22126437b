"""The configuration: defaults, and mistakes told in one sentence with the nearest valid name."""

import copy
import json
from pathlib import Path

import pytest
import yaml

from workflow.data import registry
from workflow.plan import config as configuration
from workflow.plan import config_docs, grid
from workflow.plan.config import ConfigError, checked

DEFAULT = yaml.safe_load(Path("config.yaml").read_text("utf-8"))


def merged(base, overlay):
    """As Snakemake does it: mappings merge, all else is replaced."""
    result = copy.deepcopy(base)
    for key, value in overlay.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else value
    return result


OVERLAYS = ("config/cpu.yaml", "config/paper.yaml", "tests/workflow/tiny.yaml")


@pytest.mark.parametrize("file", OVERLAYS)
def test_shipped_configurations_are_valid(file):
    overlay = yaml.safe_load(Path(file).read_text("utf-8"))
    config = checked(merged(DEFAULT, overlay), ["config.yaml", file])
    assert config["run"] == Path(file).stem


def test_full_scales_train_as_published():
    for file in ("config/cpu.yaml", "config/paper.yaml"):
        overlay = yaml.safe_load(Path(file).read_text("utf-8"))
        points = grid.points("dcgmm", checked(merged(DEFAULT, overlay)))
        assert len(points) == 2 * (7 + 1) + 4, "Table V's instances, Table IV's, and deeper ones'"
        assert points["E-paper"]["settings"]["hyperparameters"]["epochs"] == 80
        assert points["E-released"]["settings"]["hyperparameters"]["annealing"]["window"] == 100


@pytest.mark.parametrize("file", ["config/cpu.yaml", "config/paper.yaml"])
def test_full_scales_inherit_nothing_of_the_demo(file):
    """Snakemake merges them into config.yaml, whose short settings would stay unnoticed."""
    overlay = yaml.safe_load(Path(file).read_text("utf-8"))
    methods = {"baselines": dict.fromkeys(DEFAULT["baselines"])}
    both, alone = checked(merged(DEFAULT, overlay)), checked(merged(methods, overlay))
    assert both["dcgmm"].pop("schedules"), "the demo's"
    del alone["dcgmm"]["schedules"]
    assert both == alone


def test_every_key_has_a_default():
    config = checked({})
    assert config["seeds"] == [0, 1]
    assert config["dcgmm"]["schedule"] == grid.UNCHANGED
    assert set(config) == set(DEFAULT)


@pytest.mark.parametrize(
    ("overlay", "message"),
    [
        ({"datasets": ["mnits"]}, "datasets[0] is 'mnits'; did you mean 'mnist'?"),
        (
            {"datasets": ["mnist", "svhn"]},
            "datasets[1] is 'svhn'; choose from mnist, fashion_mnist",
        ),
        ({"datasets": []}, "datasets is [], but must be a list of at least 1"),
        ({"datasets": "mnist"}, "datasets is 'mnist', but must be a list"),
        (
            {"datasets": ["mnist", "mnist"]},
            "datasets names 'mnist' twice, but each may occur only once",
        ),
        ({"sedes": [1]}, "unknown key 'sedes'; did you mean 'seeds'?"),
        ({"seeds": [0, 1, 0]}, "seeds names 0 twice, but each may occur only once"),
        ({"seeds": [-1]}, "seeds[0] is -1, but must be at least 0"),
        ({"seeds": ["0"]}, "seeds[0] is '0', but must be a whole number"),
        ({"seeds": 5}, "seeds is 5, but must be a list"),
        ({"seeds": [True]}, "seeds[0] is True, but must be a whole number"),
        ({"outlier_class": 10}, "outlier_class is 10, but must be at most 9"),
        ({"outlier_class": None}, "outlier_class is None, but must be a whole number"),
        ({"threads": 0}, "threads is 0, but must be at least 1"),
        ({"source": "subsets"}, "source is 'subsets'; did you mean 'subset'?"),
        ({"device": "cuda"}, "device is 'cuda'; choose from cpu, gpu"),
        ({"limits": {"memory_gb": 0}},
         "limits.memory_gb is 0, but must be a number above 0, or null"),
        ({"limits": {"hours": "2"}}, "limits.hours is '2', but must be a number above 0, or null"),
        ({"limits": {"memory": 1}}, "unknown key 'limits.memory'; did you mean 'memory_gb'?"),
        ({"protocols": ["papre"]}, "protocols[0] is 'papre'; did you mean 'paper'?"),
        ({"baselines": {"ratsp": {}}},
         "baselines.ratsp: unknown method 'ratsp'; did you mean 'ratspn'?"),
        ({"baselines": {"dcgmm": {}}}, "baselines.dcgmm: DCGMM always runs"),
        ({"baselines": {"ratspn": {"grids": {}}}},
         "unknown key 'baselines.ratspn.grids'; did you mean 'grid'?"),
        ({"baselines": {"ratspn": {"grid": {"component": [1]}}}},
         "unknown key 'baselines.ratspn.grid.component'; did you mean 'components'?"),
        ({"baselines": {"ratspn": {"grid": {"components": [0]}}}},
         "baselines.ratspn.grid.components[0] is 0, but must be at least 1"),
        ({"baselines": {"ratspn": {"grid": {"components": 3}}}},
         "baselines.ratspn.grid.components is 3, but must be a list"),
        ({"baselines": {"ratspn": {"grid": {"leaf": ["norma"]}}}},
         "baselines.ratspn.grid.leaf[0] is 'norma'; did you mean 'normal'?"),
        ({"baselines": {"ratspn": {"settings": {"step": 2}}}},
         "baselines.ratspn.settings.step is 2, but must be at most 1"),
        ({"baselines": {"ratspn": {"train_images": 0}}},
         "baselines.ratspn.train_images is 0, but must be at least 1"),
        (
            {"run": "a/b"},
            "run is 'a/b', but must be a folder name of letters, digits, '.', '_' and '-', "
            "other than 'data' and 'reference'",
        ),
        (
            {"run": "data"},
            "run is 'data', but must be a folder name of letters, digits, '.', '_' and '-', "
            "other than 'data' and 'reference'",
        ),
        ({"data_dir": ""}, "data_dir is '', but must be the name of a folder"),
        ({"dcgmm": None}, "dcgmm is None, but must be a mapping of keys to values"),
        ({"dcgmm": {"instances": ["A", "none-such"]}},
         "dcgmm.instances[1] is 'none-such'; choose from A, B, C, D, E, F, G"),
        ({"dcgmm": {"recipes": ["papre"]}}, "dcgmm.recipes[0] is 'papre'; did you mean 'paper'?"),
        (
            {"dcgmm": {"classifiers": ["B"]}},
            "dcgmm.classifiers[0] is 'B'; choose from B-class",
        ),
        (
            {"dcgmm": {"recipes": ["released"], "classifiers": ["B-class", "E-class"]}},
            "dcgmm.classifiers[1] has no recipe released, only paper: add it",
        ),
        ({"other_outliers": {"instances": ["none-such"]}},
         "other_outliers.instances[0] is 'none-such'; choose from A, B, C, D, E, F, G"),
        ({"other_outliers": {"classes": [10]}},
         "other_outliers.classes[0] is 10, but must be at most 9"),
        ({"selection": {"held_out": 1}}, "selection.held_out is 1, but must be a list"),
        ({"selection": {"seeds": []}}, "selection.seeds is [], but must be a list of at least 1"),
        ({"pictures": {"seeds": 0}},
         "pictures.seeds is 0, but must be a list of whole numbers from 0, or null"),
        ({"dcgmm": {"instances": ["B-svhn"]}},
         "dcgmm.instances[0] is 'B-svhn'; choose from A, B, C, D, E, F, G"),
        ({"colour": {"instances": ["B-svnh"]}},
         "colour.instances[0] is 'B-svnh'; did you mean 'B-svhn'?"),
        ({"colour": {"dataset": "shvn"}}, "colour.dataset is 'shvn'; did you mean 'svhn'?"),
        ({"colour": {"dataset": "svhn"}},
         "colour.dataset is 'svhn', which ships without a subset, but source is 'subset'; take "
         "'colour_digits'"),
        ({"colour": {"classes": [10]}}, "colour.classes[0] is 10, but must be at most 9"),
        ({"colour": {"classes": []}}, "colour.classes is [], but must be a list of at least 1"),
        ({"colour": {"class": 1}}, "unknown key 'colour.class'; did you mean 'classes'?"),
        ({"pictures": {"classes": "not"}},
         "pictures.classes is 'not', but must be 'all', or 'not' or 'only' and a class"),
        ({"pictures": {"inpainted": []}},
         "pictures.inpainted is [], but must be a list of at least 1"),
        ({"dynamics": {"instance": "none-such"}},
         "dynamics.instance is 'none-such'; choose from A, B, C, D, E, F, G"),
        ({"dynamics": {"instance": 6}}, "dynamics.instance is 6, but must be an instance, or null"),
        ({"dynamics": {"datasets": ["mnits"]}},
         "dynamics.datasets[0] is 'mnits'; did you mean 'mnist'?"),
        ({"dynamics": {"epochs": [3, 0]}}, "dynamics.epochs[1] is 0, but must be at least 1"),
        ({"dynamics": {"measurements": 0}}, "dynamics.measurements is 0, but must be at least 1"),
        ({"dynamics": {"epoch": [3]}}, "unknown key 'dynamics.epoch'; did you mean 'epochs'?"),
        ({"samples": {"images": 1}}, "samples.images is 1, but must be at least 2"),
        ({"samples": {"instances": ["A", "none-such"]}},
         "samples.instances[1] is 'none-such'; choose from A, B, C, D, E, F, G"),
        ({"samples": {"schedule": "clas"}}, "samples.schedule is 'clas'; did you mean 'class'?"),
        ({"samples": {"points": {"ratsp": ["K5-D4-R10-normal"]}}},
         "unknown key 'samples.points.ratsp'; did you mean 'ratspn'?"),
        ({"samples": {"points": {"dcgmm": ["A-paper"]}}},
         "unknown key 'samples.points.dcgmm'; "),
        ({"samples": {"points": {"ratspn": ["K5-D4-R10-norml"]}}},
         "samples.points.ratspn[0] is 'K5-D4-R10-norml'; did you mean 'K5-D4-R10-normal'?"),
        ({"samples": {"points": {"ratspn": []}}},
         "samples.points.ratspn is [], but must be a list of at least 1"),
        ({"samples": {"seeds": []}}, "samples.seeds is [], but must be a list of at least 1"),
        ({"samples": {"seeds": 0}},
         "samples.seeds is 0, but must be a list of whole numbers from 0, or null"),
        ({"judges": {"learning_rates": [0.01, 0]}},
         "judges.learning_rates[1] is 0, but must be a number above 0"),
        ({"judges": {"learning_rates": []}},
         "judges.learning_rates is [], but must be a list of at least 1"),
        ({"judges": {"epochs": 0}}, "judges.epochs is 0, but must be at least 1"),
        (
            {"dcgmm": {"recipe": ["paper"]}},
            "unknown key 'dcgmm.recipe'; did you mean 'recipes'?",
        ),
        ({"dcgmm": {"schedule": "shrot"}}, "dcgmm.schedule is 'shrot'; did you mean 'short'?"),
        ({"dcgmm": {"schedules": {"short": {"al": {}}}}},
         "unknown key 'dcgmm.schedules.short.al'; did you mean 'all'?"),
        ({"dcgmm": {"schedules": {"short": {"A": {"epoch": 3}}}}},
         "dcgmm.schedules.short.A: unknown hyper-parameter 'epoch'; did you mean 'epochs'?"),
        ({"dcgmm": {"schedules": {"short": {"A": {"epochs": 0}}}}},
         "dcgmm.schedules.short.A: epochs is 0, but must be an integer from 1"),
        ({"dcgmm": {"schedules": {"short": {"all": {"annealing": {"windw": 3}}}}}},
         "dcgmm.schedules.short.all: unknown hyper-parameter 'windw'; did you mean 'window'?"),
        ({"dcgmm": {"schedules": {"short": {"all": 3}}}},
         "dcgmm.schedules.short.all is 3, but must be a mapping of keys to values"),
        ({"dcgmm": {"schedules": {"short": {"E": {"waits": [0.0]}}}}},
         "dcgmm.schedules.short.E: recipe has 1 waits, but"),
        ({"dcgmm": {"schedules": {"short": {"all": {"epochs": "3"}}}}},
         "dcgmm.schedules.short.all: "),
    ],
)  # fmt: skip
def test_mistakes_are_told_in_one_sentence(overlay, message):
    with pytest.raises(ConfigError) as error:
        checked(merged(DEFAULT, overlay))
    assert str(error.value).partition(": ")[2].startswith(message)
    assert "\n" not in str(error.value)


def test_all_mistakes_are_told():
    with pytest.raises(ConfigError) as error:
        checked(DEFAULT | {"seeds": [-1], "datasets": ["mnits"], "sedes": 1})
    assert len(str(error.value).splitlines()) == 3


def test_a_mistake_is_blamed_on_its_file(tmp_path):
    overlay = tmp_path / "mine.yaml"
    overlay.write_text("seeds: [-1]\n")
    with pytest.raises(ConfigError, match=r"^config\.yaml: datasets.*\n.*mine\.yaml: seeds"):
        checked(DEFAULT | {"datasets": [], "seeds": [-1]}, ["config.yaml", str(overlay)])
    with pytest.raises(ConfigError, match=r"^--config: unknown key 'sedes'"):
        checked(DEFAULT | {"sedes": 1})


def test_schedule_changes_all_then_one():
    schedules = {"mine": {"all": {"epochs": 2, "annealing": {"window": 7}}, "A": {"epochs": 3}}}
    settings = {"instances": ["A", "B"], "schedule": "mine", "schedules": schedules}
    points = grid.points("dcgmm", checked({"dcgmm": settings}))
    parameters = {name: point["settings"]["hyperparameters"] for name, point in points.items()}
    assert [parameters[name]["epochs"] for name in ("A-paper", "B-paper")] == [3, 2]
    assert parameters["A-paper"]["annealing"]["window"] == 7
    assert parameters["A-paper"]["annealing"]["factor"] == 0.9
    assert json.loads(json.dumps(points)), "settings travel as JSON"


def test_colour_points_are_of_the_main_recipe_and_the_schedule():
    points = grid.colour_points(checked(DEFAULT))
    assert list(points) == ["A-svhn-paper", "B-svhn-paper"]
    hurried = points["B-svhn-paper"]["settings"]["hyperparameters"]
    assert hurried["annealing"]["window"] == 10
    assert hurried["independent"] == (True, False)
    settings = {"recipes": ["released", "paper"]}
    points = grid.colour_points(checked({"dcgmm": settings, "colour": {"instances": ["B-svhn"]}}))
    assert list(points) == ["B-svhn-released"]
    assert points["B-svhn-released"]["settings"]["hyperparameters"]["epochs"] == 120
    assert not grid.colour_points(checked({"colour": {"dataset": None}}))
    assert not any("svhn" in name for name in grid.points("dcgmm", checked(DEFAULT)))


def test_fits_of_one_class_may_have_a_schedule_of_their_own():
    schedules = {"mine": {"all": {"epochs": 2}}, "class": {"A": {"epochs": 7}}}
    dcgmm = {"instances": ["A", "B"], "recipes": ["paper", "released"], "schedules": schedules}
    samples = {"instances": ["B", "F", "A"]}

    def epochs(run, own):
        chosen = {"dcgmm": dcgmm | {"schedule": run}, "samples": samples | {"schedule": own}}
        config = checked(chosen)
        whole, sampled = grid.points("dcgmm", config), grid.sampled_points("dcgmm", config)
        assert list(sampled) == ["B-paper", "B-released", "A-paper", "A-released"], "F does not run"
        return [
            [points[f"{name}-paper"]["settings"]["hyperparameters"]["epochs"] for name in "AB"]
            for points in (whole, sampled)
        ]

    published = grid.points("dcgmm", checked({}))
    flat, deep = (published[f"{n}-paper"]["settings"]["hyperparameters"]["epochs"] for n in "AB")
    assert epochs("mine", None) == [[2, 2], [2, 2]]
    assert epochs("mine", "class") == [[2, 2], [7, deep]], "one changes the recipe, not the other"
    assert epochs("mine", grid.UNCHANGED) == [[2, 2], [flat, deep]]
    assert epochs(grid.UNCHANGED, "mine") == [[flat, deep], [2, 2]]


def test_a_point_that_is_alone_needs_no_choice():
    axes = {"components": [5, 10], "leaf": ["binomial", "normal"]}
    config = checked({"baselines": {"ratspn": {"grid": axes}, "pdspn": None, "gaussian": None}})
    assert grid.searched_points("ratspn", config) == grid.points("ratspn", config)
    axes["components"] = [5]
    config = checked({"baselines": {"ratspn": {"grid": axes}, "pdspn": None, "gaussian": None}})
    for method in ("dcgmm", "ratspn", "pdspn", "gaussian"):
        assert not grid.searched_points(method, config), "leaves are models of their own"


def test_deeper_classifiers_run_by_the_papers_recipe_alone():
    dcgmm = {"recipes": ["paper", "released"], "classifiers": ["B-class", "E-class"]}
    points = grid.points("dcgmm", checked({"dcgmm": dcgmm | {"instances": ["A"]}}))
    assert [name for name in points if "class" in name] == [
        "B-class-paper", "B-class-released", "E-class-paper",
    ]  # fmt: skip
    read = points["E-class-paper"]["settings"]["hyperparameters"]["classifier"]["inputs"]
    assert read == (4, 6), "the two highest cGMM layers"


def test_competitors_draw_by_the_points_named_or_the_last_protocols_first():
    axes = {"components": [5, 10], "leaf": ["binomial", "normal"]}
    baselines = {"ratspn": {"grid": axes}, "gaussian": None}
    named = {"ratspn": ["K10-normal", "K5-binomial-unit"]}  # the latter is of the protocol `paper`
    config = checked({"baselines": baselines, "samples": {"points": named}})
    assert list(grid.sampled_points("ratspn", config)) == named["ratspn"]
    assert list(grid.sampled_points("gaussian", config)) == ["default"]
    config = checked({"baselines": baselines})
    sampled = grid.sampled_points("ratspn", config)
    assert list(sampled) == ["K5-binomial-bytes"]
    assert sampled.items() <= grid.points("ratspn", config).items()


def test_nothing_is_left_to_fall_back_on():
    config = checked({"seeds": [3, 4], "dynamics": {"seeds": [5]}, "dcgmm": {"schedule": "recipe"}})
    parts = ("ablations", "selection", "samples", "pictures", "colour")
    assert [config[part]["seeds"] for part in parts] == [[3, 4]] * len(parts)
    assert config["dynamics"]["seeds"] == [5]
    assert config["samples"]["schedule"] == "recipe"
    assert config["samples"]["points"].keys() == config["baselines"].keys()
    drawn = {method: grid.drawn_point(method, config) for method in config["baselines"]}
    assert all(drawn[method] in grid.points(method, config) for method in drawn)


@pytest.mark.parametrize("overlay", ["config/cpu.yaml", "tests/workflow/tiny.yaml"])
def test_a_checked_configuration_is_an_overlay_that_makes_it_again(tmp_path, overlay):
    config = configuration.load(["config.yaml", overlay])
    path = tmp_path / "again.yaml"
    path.write_text(configuration.as_overlay(config))
    assert configuration.load(["config.yaml", str(path)]) == config


def test_any_dataset_of_the_table_may_be_asked_for(monkeypatch):
    more = registry.table() | {"kmnist": registry.Entry("kmnist", "KMNIST", (28, 28, 1), True, "")}
    monkeypatch.setattr(registry, "table", lambda: more)
    configuration.schema.cache_clear()
    assert checked({"datasets": ["mnist", "kmnist"]})["datasets"] == ["mnist", "kmnist"]
    with pytest.raises(configuration.ConfigError, match="'svhn'"):
        checked({"datasets": ["svhn"]})
    more["kmnist"] = more["kmnist"]._replace(ships=False)
    says = r"datasets\[1\] is 'kmnist', which ships without a.*take 'mnist' or 'fashion_mnist'"
    with pytest.raises(configuration.ConfigError, match=says):
        checked({"datasets": ["mnist", "kmnist"]})
    assert checked({"datasets": ["kmnist"], "source": "full"})["datasets"] == ["kmnist"]
    monkeypatch.undo()
    configuration.schema.cache_clear()


def test_gpu_chooses_the_lock():
    assert grid.environment("dcgmm", checked({})) == "tensorflow"
    assert grid.environment("dcgmm", checked({"device": "gpu"})) == "tensorflow-gpu"
    together = {"dcgmm": {"together": True}}
    assert grid.launch_seeds("dcgmm", checked(together)) == ["jax"]
    assert grid.launch_seeds("dcgmm", checked(together | {"device": "gpu"})) == ["jax-gpu"]
    assert grid.launch_seeds("dcgmm", checked({"device": "gpu"})) == ["tensorflow-gpu"]


def test_one_job_fits_all_seeds_where_it_is_asked_for():
    assert grid.in_one_job(checked({"dcgmm": {"together": True}})) == ["dcgmm"]
    assert grid.in_one_job(checked({})) == []
    config = checked({"seeds_in_one_job": True})
    assert grid.in_one_job(config) == grid.methods(config)


def test_readme_is_current():
    page = config_docs.documentation(configuration.schema())
    assert Path("config/README.md").read_text("utf-8") == page, "run `make docs`"


def test_default_comments_every_key():
    lines = Path("config.yaml").read_text("utf-8").splitlines()
    keys = [line for line in lines if line and line[0].isalpha() and not line.endswith(":")]
    uncommented = [line for line in keys if "#" not in line and "datasets" not in line]
    assert not uncommented
    assert grid.environment("ratspn", checked({"device": "gpu"})) == "torch"


def test_a_grid_is_a_product_under_every_protocol():
    axes = {"components": [5, 10], "leaf": ["binomial", "normal"]}
    choice = {"grid": axes, "settings": {"epochs": 2}, "train_images": 70}
    config = checked({"baselines": {"ratspn": choice}})
    paper = grid.protocol_points("ratspn", "paper", config)
    ours = grid.protocol_points("ratspn", "corrected", config)
    assert list(paper) == ["K5-binomial-unit", "K5-normal", "K10-binomial-unit", "K10-normal"]
    assert list(ours) == ["K5-binomial-bytes", "K5-normal", "K10-binomial-bytes", "K10-normal"]
    assert len(grid.points("ratspn", config)) == 6, "what the protocols share is fitted once"
    assert paper["K5-normal"] == ours["K5-normal"]
    point = paper["K10-binomial-unit"]
    expected = {"components": 10, "leaf": "binomial", "scaling": "unit", "epochs": 2, "depth": 4}
    assert point["settings"].items() >= expected.items()
    assert point["training"] == {"holdout": True, "images": 70, "sample_weight": None}


def test_a_line_is_enough_for_a_method():
    config = checked({"baselines": {"ratspn": None, "pdspn": False}})
    assert grid.methods(config) == ["dcgmm", "ratspn"]
    assert list(grid.points("ratspn", config)) == ["binomial-unit", "binomial-bytes"]


def test_one_protocol_alone():
    config = checked({"baselines": {"ratspn": None}, "protocols": ["corrected"]})
    assert list(grid.points("ratspn", config)) == ["binomial-bytes"]


def test_numbers_without_a_letter_are_named():
    axes = {"epochs": [1, 2], "components": [5]}
    config = checked({"baselines": {"ratspn": {"grid": axes}}, "protocols": ["corrected"]})
    names = ["K5-binomial-bytes-epochs1", "K5-binomial-bytes-epochs2"]
    assert list(grid.points("ratspn", config)) == names
