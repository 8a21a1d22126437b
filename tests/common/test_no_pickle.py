"""Nothing that a file holds is executed: no source of the suite calls what could."""

import ast
from pathlib import Path

import pytest

SOURCES = [
    path
    for folder in ("dcgmm", "baselines", "workflow", "benchmarks")
    for path in sorted(Path(folder).rglob("*.py"))
]
MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
CALLS = {"eval", "exec", "__import__", "read_pickle", "to_pickle", "unsafe_load", "full_load",
         "load_model", "load_weights"}  # fmt: skip


def faults(source):
    """What in a program could execute what a file holds."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {(node.module or "").split(".")[0]}
        elif isinstance(node, ast.Call):
            yield from faulty_call(node)
            continue
        else:
            continue
        yield from names & MODULES


def faulty_call(node):
    function = ast.unparse(node.func)
    given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
    if function.split(".")[-1] in CALLS:
        yield function
    if function == "np.load" and given.get("allow_pickle") != "False":
        yield "np.load without allow_pickle=False"
    if given.get("allow_pickle") == "True":
        yield "allow_pickle=True"
    if function == "torch.load" and given.get("weights_only") != "True":
        yield "torch.load without weights_only=True"
    if function == "yaml.load":
        yield "yaml.load"


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_no_source_executes_what_it_reads(path):
    assert not list(faults(path.read_text("utf-8")))


@pytest.mark.parametrize(
    "program",
    ["import pickle", "from joblib import load", "import dill.source", "eval(text)", "exec(text)",
     "np.load(path)", "np.load(path, allow_pickle=True)", "numpy.load(p, allow_pickle=True)",
     "torch.load(path)", "yaml.load(text)", "pd.read_pickle(path)", "keras.models.load_model(p)"],
)  # fmt: skip
def test_the_test_finds_what_it_looks_for(program):
    assert list(faults(program))


@pytest.mark.parametrize(
    "program", ["re.compile('a')", "np.load(path, allow_pickle=False)", "yaml.safe_load(text)"]
)
def test_what_is_harmless_passes(program):
    assert not list(faults(program))
