"""YAML files are read as they were meant: whatever is ambiguous or damaged is one sentence."""

import json
import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from workflow.common import values, yaml_files
from workflow.plan.config import ConfigError
from workflow.run import launch

LAUGHS = "\n".join(
    [f"a0: &a0 [{'1, ' * 9}1]"]
    + [f"a{n}: &a{n} [{', '.join(9 * [f'*a{n - 1}'])}]" for n in range(1, 12)]
)


def refusal(tmp_path, content):
    """What is said of a file, whose name it begins with."""
    file = tmp_path / "mine.yaml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match="mine") as caught:
        yaml_files.read(file)
    message = str(caught.value)
    assert message.startswith(f"{file}: ")
    assert "\n" not in message
    return message.removeprefix(f"{file}: ")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty or only a comment"),
        ("# nothing yet\n", "is empty or only a comment"),
        ("---\n", "is not a mapping"),
        ("- run\n", "is not a mapping"),
        ("run\n", "is not a mapping"),
        ("# ä\nrun: ä\n".encode("latin-1"), "line 1 is not UTF-8, it has the byte 0xe4: save"),
        ("run: a\n".encode("utf-16"), "is UTF-16: save the file as UTF-8"),
        (b"run: a\0\n", "is not text, it has null bytes"),
        ("run: \x07\n", "is not YAML: "),
        ("dcgmm:\n\trecipes: [paper]\n", "is not YAML: line 2: it is indented by a tab"),
        ("seeds: [0\nrun: a\n", "is not YAML: line 2: "),
        ("run: a\n---\nrun: b\n", "is not YAML: line 2: "),
        ("run: *a\n", "is not YAML: line 1: "),
        ("run: a\nrun: b\n", "the key 'run' occurs in line 1 and in line 2; keep one"),
        ("a: !!python/object/apply:os.system [id]\n", "line 1: the tag python/object/apply:os."),
        ("a: !!set {b}\n", "line 1: the tag set is not allowed"),
        ("a: !!binary YQ==\n", "line 1: the tag binary is not allowed"),
        ("a: !mine 1\n", "line 1: the tag !mine is not allowed"),
        ("a: &a [*a]\n", "line 1: a[0] contains itself"),
        (LAUGHS, "with its aliases it holds more than"),
        (f"a: {5000 * '['}", "line 1: more than 32 nested lists or mappings"),
        ("1: a\n", "line 1: the key '1' is read as a number, but keys are text"),
        ("~: a\n", "line 1: the key '~' is read as nothing"),
        ("on: a\n", "line 1: the key 'on' is read as true or false"),
        ("? [a]\n: b\n", "line 1: a key is a list or a mapping"),
        ('run: "a\\nb"\n', r"run is 'a\nb', but must be text without control characters"),
        ('run: "a\\u202eb"\n', r"run is 'a\u202eb', but must be text without control"),
        ('"a\\nb": 1\n', " is 'a"),
        (f"run: {501 * 'a'}\n", "run is 'aaa"),
        (f"a: {5000 * '9'}\n", "line 1: a is 999"),
        ("a: 9223372036854775808\n", "a is a whole number of 64 bits, but must be a number of at"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_one_sentence(tmp_path, content, message):
    start = time.monotonic()
    said = refusal(tmp_path, content)
    assert message in said, said
    assert time.monotonic() - start < 20


@pytest.mark.parametrize(
    ("text", "reads", "write"),
    [
        ("1e-3", "text", "1.0e-3"),
        ("1e3", "text", "1000"),
        ("1.5e3", "text", "1500"),
        ("-25E-4", "text", "-25.0e-4"),
        ("0o17", "text", "15"),
        ("012", "10", "10"),
        ("0x1F", "31", "31"),
        ("0b11", "3", "3"),
        ("1_000", "1000", "1000"),
        ("12:30:00", "45000", "45000"),
        ("1_0.5", "10.5", "10.5"),
        ("yes", "true", "true"),
        ("Off", "false", "false"),
        ("2026-01-01", "a date", "'2026-01-01'"),
    ],
)
def test_what_yaml_reads_otherwise_is_told_with_its_line(tmp_path, text, reads, write):
    said = refusal(tmp_path, f"a:\n  b: [0, {text}]\n")
    assert said.startswith(f"line 2: a.b[1] is {text}, which YAML reads as {reads}; write {write}")
    file = tmp_path / "mended.yaml"
    file.write_text(f"a: {write}\nb: '{text}'\n")
    assert yaml_files.read(file)["b"] == text, "the mend that it names is read"


@pytest.mark.parametrize("text", [".nan", ".inf", "-.inf", "1.0e+999"])
def test_numbers_are_finite(tmp_path, text):
    assert refusal(tmp_path, f"a: {text}\n") == f"line 1: a is {text}, but must be a finite number"


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("-3", -3), ("+3", 3), ("0.5", 0.5), (".5", 0.5), ("1.0e-3", 1e-3), ("true", True),
     ("~", None), ("", None), ("'012'", "012"), ('"yes"', "yes"), ("nan", "nan"), ("ä", "ä")],
)  # fmt: skip
def test_what_has_one_meaning_is_read(tmp_path, text, value):
    file = tmp_path / "mine.yaml"
    file.write_text(f"\ufeffa: &x {text}\nb: *x\n", "utf-8")
    assert yaml_files.read(file) == {"a": value, "b": value}


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000)
    | st.floats(-1e6, 1e6).map(lambda x: round(x, 3))
    | st.text(st.characters(categories=["L"]), max_size=20),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=4),
)  # fmt: skip


@given(st.dictionaries(st.text("xyz", min_size=1), PLAIN, min_size=1))
def test_any_plain_value_survives(tmp_path_factory, content):
    file = tmp_path_factory.mktemp("any") / "mine.yaml"
    file.write_text(yaml.safe_dump(content), "utf-8")
    assert yaml_files.read(file) == content


@given(PLAIN, st.sampled_from([float("nan"), float("inf"), "a\n", "\x7f", "\u2028", {1}, (1,),
                               b"a", 2**63, {"a\n": 1}, {1: 2}, 600 * "a"]), st.data())  # fmt: skip
def test_a_bad_value_is_found_at_any_depth(value, bad, data):
    depth = data.draw(st.integers(0, 6))
    assert not [*values.mistakes(value)]
    place = ()
    for _ in range(depth):
        listed = data.draw(st.booleans())
        bad = [value, bad] if listed else {"a": value, "b": bad}
        place = (1 if listed else "b", *place)
    ((found, wrong, wanted),) = values.mistakes(bad)
    assert found == place
    assert "\n" not in values.shown(wrong) + wanted


def test_what_is_too_deep_or_too_large_ends_the_search():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    ((_, _, wanted),) = values.mistakes(deep)
    assert "less deep" in wanted
    assert len([*values.mistakes([[0] * 50] * 50, most=100)]) == 1


def test_printable_text_passes_and_says_the_same():
    text = values.printable("\x1b[31mno\nmemory\u2028 left" + 900 * "!")
    assert text.startswith(" [31mno memory left".strip())
    assert not [*values.mistakes(text)]


def test_the_launcher_looks_at_what_snakemake_will_read(tmp_path):
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.json"
    good.write_text("run: a\n")
    bad.write_text(json.dumps({"run": "a"})[:-1] + ', "run": "b"}')
    launch.check_configfiles(["-n", "--configfile", str(good), "--config", "run=b"])
    for option in ("--configfile", "--configfiles"):
        with pytest.raises(ConfigError, match=r"bad\.json: the key 'run' occurs in line 1 and in"):
            launch.check_configfiles(["table1", option, str(good), str(bad), "-n"])
    good.write_text("__use_yte__: true\n")
    with pytest.raises(ConfigError, match="'__use_yte__' would run code of the file"):
        launch.check_configfiles([f"--configfile={good}"])
