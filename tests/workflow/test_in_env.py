"""The launcher: builds an environment once, again when its lock changes, and never by half."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

STEPS = Path(__file__).parents[2] / "workflow/run"


def laid_out(folder):
    """A repository with nothing but the launcher and an empty lock, at a path to be quoted."""
    root = folder / 'it\'s a "clone"; & \\ ü'
    (root / "workflow/run").mkdir(parents=True)
    (root / "envs").mkdir()
    for name in ("in_env.sh", "build_env.py"):
        shutil.copy(STEPS / name, root / "workflow/run")
    (root / "envs/fake.lock").write_text("# nothing\n")
    return root


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """A path with a `uv` that makes environments as it does, and fails for any requirement."""
    folder = tmp_path_factory.mktemp("quick")
    text = f"""#!/bin/sh
    case $1 in
      venv) exec "{sys.executable}" -m venv --without-pip "$5" ;;  # --quiet --python PYTHON FOLDER
      pip) ! grep -v "^#" "$4" ;;  # install -r LOCK
    esac"""
    (folder / "uv").write_text(text)
    (folder / "uv").chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.fixture
def root(tmp_path):
    """One in which nothing is built."""
    return laid_out(tmp_path)


@pytest.fixture(scope="module")
def built(tmp_path_factory, quick):
    """One whose environments are built, for tests that leave them as they are."""
    root = laid_out(tmp_path_factory.mktemp("built"))
    for name in ("fake", "tensorflow", "jax"):
        (root / f"envs/{name}.lock").write_text("# nothing\n")
        assert run(root, "true", name=name, PATH=quick)[0] == 0
    return root


def start(root, *command, name="fake", cwd=None, **variables):
    return subprocess.Popen(
        [root / "workflow/run/in_env.sh", name, *command],
        cwd=cwd or root,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(*arguments, **options):
    process = start(*arguments, **options)
    output, errors = process.communicate()
    return process.returncode, output, errors


def builds(errors):
    return errors.count("building envs/.venv/fake")


def test_parallel_first_use_builds_once(root, quick):
    command = ("python", "-c", "import sys; print(sys.prefix)")
    processes = [start(root, *command, PATH=quick) for _ in range(4)]
    outputs = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert {output for output, _ in outputs} == {f"{root}/envs/.venv/fake\n"}
    assert sum(builds(errors) for _, errors in outputs) == 1
    assert builds(run(root, "true", PATH=quick)[2]) == 0, "it stays built"

    (root / "envs/fake.lock").write_text("# something else\n")
    assert builds(run(root, "true", PATH=quick)[2]) == 1, "a changed lock rebuilds"
    assert builds(run(root, "true", PATH=quick)[2]) == 0

    moved = root.rename(root.with_name("moved"))
    code, output, errors = run(moved, *command, PATH=quick)
    assert (code, output, builds(errors)) == (0, f"{moved}/envs/.venv/fake\n", 1)


def test_a_broken_build_is_not_taken_for_a_whole_one(root, quick):
    lock = root / "envs/fake.lock"
    lock.write_text("this is no requirement\n")
    for _ in range(2):
        code, _, errors = run(root, "true", PATH=quick)
        assert code != 0
        assert "envs/.venv/fake could not be built" in errors
        assert "Traceback" not in errors
        assert not (root / "envs/.venv/fake/built").exists()
    lock.write_text("# mended\n")
    code, _, errors = run(root, "true", PATH=quick)
    assert (code, builds(errors)) == (0, 1)


def test_without_uv_pip_builds_and_compiles(root, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("bash", "cat", "dirname", "sha256sum", "cut", "true"):
        (tools / name).symlink_to(shutil.which(name))
    variables = {"PATH": str(tools), "PYTHON": sys.executable, "PYTHONDONTWRITEBYTECODE": "1"}
    code, _, errors = run(root, "true", **variables)
    assert code == 0, errors
    venv = root / "envs/.venv/fake"
    assert list(venv.glob("lib/python3*/site-packages/pip/__pycache__/*.pyc"))


def test_the_command_gets_threads_and_the_repository(built, tmp_path):
    script = "echo $TF_NUM_INTRAOP_THREADS $TF_NUM_INTEROP_THREADS $PYTHONPATH; pwd"
    code, output, _ = run(built, "bash", "-c", script, cwd=tmp_path, OMP_NUM_THREADS="3")
    assert code == 0
    assert output.splitlines() == [f"3 1 {built}", str(tmp_path)]


def test_what_xla_compiles_is_kept_beside_the_environment(built):
    command = ("bash", "-c", "eval printf '%s\\\\n' $TF_XLA_FLAGS")  # quotes keep the blank
    flags = run(built, *command, name="tensorflow")[1].splitlines()
    cache = f"--tf_xla_persistent_cache_directory={built}/envs/.venv/tensorflow/xla/"
    assert [flags[0][: len(cache)], *flags[1:]] == [
        cache,
        "--tf_xla_persistent_cache_device_types=CPU",
    ]
    assert not run(built, *command)[1].strip()


def test_variables_before_the_command_are_set(built):
    script = "echo $WORD $OTHER; echo $1"
    code, output, _ = run(built, "WORD=one", "OTHER=a b", "bash", "-c", script, "x", "C=d")
    assert (code, output) == (0, "one a b\nC=d\n")


# What users' shells, notebooks and clusters set, and what of it a command may see.
AMBIENT = {
    "KERAS_BACKEND": ("jax", {"tensorflow": "tensorflow", "jax": "jax", "fake": None}),
    "KERAS_HOME": ("/elsewhere", {"tensorflow": "{venv}/keras", "fake": "{venv}/keras"}),
    "MPLBACKEND": ("module://matplotlib_inline.backend_inline", {"fake": "agg"}),
    "MATPLOTLIBRC": ("/elsewhere", {"fake": "/dev/null"}),
    "MPLCONFIGDIR": ("/elsewhere", {"fake": "{venv}/matplotlib"}),
    "TF_XLA_FLAGS": ("--own", {"fake": None}),
    "XLA_FLAGS": ("--xla_cpu_enable_fast_math=true", {"jax": None, "tensorflow": None}),
    "TF_ENABLE_ONEDNN_OPTS": ("0", {"tensorflow": None}),
    "TF_USE_LEGACY_KERAS": ("1", {"tensorflow": None}),
    "ONEDNN_MAX_CPU_ISA": ("SSE41", {"tensorflow": None}),
    "JAX_ENABLE_X64": ("1", {"jax": None}),
    "TORCH_LOGS": ("+all", {"fake": None}),
    "NVIDIA_TF32_OVERRIDE": ("1", {"fake": "0"}),
    "SNAKEMAKE_PROFILE": ("mine", {"fake": None}),
    "PYTHONPATH": ("/elsewhere", {"fake": "{root}"}),
    "PYTHONHOME": ("/elsewhere", {"fake": None}),
    "PYTHONOPTIMIZE": ("2", {"fake": None}),
    "PYTHONWARNINGS": ("error", {"fake": None}),
    "PYTHONSTARTUP": ("/elsewhere", {"fake": None}),
    "LC_ALL": ("tr_TR.ISO-8859-9", {"fake": "C.UTF-8"}),
    "LANG": ("de_DE.UTF-8", {"fake": None}),
    "BASH_ENV": ("/nowhere", {"fake": None}),
    "CDPATH": ("/tmp:/usr", {"fake": None}),
    "PATH": (os.environ["PATH"], {"fake": "{venv}/bin:" + os.environ["PATH"]}),
    "DCGMM_DATA_DIR": ("/mine", {"fake": "/mine"}),
    "CUDA_VISIBLE_DEVICES": ("1", {"fake": "1"}),
}


def test_what_a_shell_sets_for_other_programs_does_not_reach_a_command(built):
    given = {key: value for key, (value, _) in AMBIENT.items()}
    for name in ("fake", "tensorflow", "jax"):
        code, output, _ = run(built, "env", "-0", name=name, **given)
        assert code == 0
        seen = dict(line.split("=", 1) for line in output.split("\0") if line)
        for key, (_, wanted) in AMBIENT.items():
            if name in wanted:
                value = wanted[name]
                place = {"venv": f"{built}/envs/.venv/{name}", "root": built}
                assert seen.get(key) == (value and value.format(**place)), key


def test_a_shells_options_do_not_reach_a_command(built):
    launcher = built / "workflow/run/in_env.sh"
    inner = 'cat </dev/null; echo a >"$TMP_FILE"; echo b >"$TMP_FILE"; echo "$TMP_FILE"*'
    command = [launcher, "fake", "bash", "-c", inner]
    for option in ("noclobber", "noglob", "errexit", "noexec", "nullglob"):
        given = {"BASHOPTS" if option == "nullglob" else "SHELLOPTS": option}
        variables = os.environ | {"TMP_FILE": str(built / "file")} | given
        result = subprocess.run(command, env=variables, capture_output=True, text=True)
        assert (result.returncode, result.stdout, result.stderr) == (0, f"{built}/file\n", "")


def test_a_colon_in_the_path_is_one_sentence(root):
    moved = root.rename(root.with_name("a:b"))
    code, _, errors = run(moved, "true")
    assert code == 1 and len(errors.splitlines()) == 1
    assert "a:b has a colon in its path" in errors and "move the repository" in errors


def test_a_repository_that_cannot_be_written_to_is_one_sentence(root):
    (root / "envs/.venv").write_text("in the way")  # as root writes whatever permissions say
    code, _, errors = run(root, "true")
    assert code == 1 and len(errors.splitlines()) == 1
    assert "envs/.venv/fake could not be built (" in errors


def test_the_commands_exit_status_is_the_launchers(built):
    assert run(built, "bash", "-c", "exit 7")[0] == 7


def test_an_unknown_environment_is_named(root):
    code, _, errors = run(root, "true", name="fkae")
    assert code == 1
    assert errors == "in_env.sh: there is no envs/fkae.lock; known are fake\n"


def test_an_old_python_is_refused_in_one_sentence(root, tmp_path):
    old = tmp_path / "python3.8"
    program = "import runpy, sys; sys.version_info = (3, 8, 0, 'final', 0); sys.argv.pop(0); "
    program += "runpy.run_path(sys.argv[0], run_name='__main__')"
    old.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{program}" "$@"\n')
    old.chmod(0o755)
    code, _, errors = run(root, "true", PYTHON=str(old))
    assert code == 1
    assert errors.startswith("Python 3.11 or newer is needed, but")
    assert len(errors.splitlines()) == 1
