"""The explorer: numbers of the measures themselves, any text harmless, any view in its address."""

import base64
import html
import json
import os
import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tests import example_bank
from workflow.common import intervals, metrics
from workflow.common.summaries import summarise
from workflow.data import tasks
from workflow.outliers import delong, detection, score_bank
from workflow.pages import explorer

HOSTILE = "</script><img src=x onerror=alert(1)>"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
E6, E2 = "dcgmm/E-paper/all/6/score", "dcgmm/E-paper/all/2/score"
TYPICAL = "dcgmm/E-paper/all/6/typicality"
SPN, VAE = "ratspn/K5-normal/all/top/score", "vae/L8/all/top/score"


def build(folder, **options):
    example_bank.write(folder / "bank", **options)
    page = folder / "explorer.html"
    given = {"bank": folder / "bank", "tasks": "{}", "run": "mine", "out": page}
    explorer.main([word for key, value in given.items() for word in (f"--{key}", str(value))])
    return page


def data_of(page):
    text = page.read_text("utf-8")
    return json.loads(re.search(r'<script [^>]*id="data">(.*?)</script>', text, re.S).group(1))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    build(folder)
    return folder


@pytest.fixture(scope="module")
def group(folder):
    """Fits to MNIST."""
    return data_of(folder / "explorer.html")["groups"][0]


@pytest.fixture(scope="module")
def sides(folder):
    """The scores of inliers and outliers of a row in a task, by the bank itself."""
    images = score_bank.read_images(folder / "bank")
    entries = [e for e in score_bank.read(folder / "bank", images) if "mnist" in e.place.split("/")]

    def of(row, task):
        method, _, evidence, layer, way = row.split("/")
        entry = next(e for e in entries if e.metadata["method"] == method)
        ways = detection.ways_of_scoring(entry, images["mnist"])
        scores = next(s for s in ways if (s.evidence, s.layer, s.score) == (evidence, layer, way))
        return detection.sides(tasks.table()[task], scores, images["mnist"], "not0")[0]

    return of


def index(group, row):
    return [each["id"] for each in group["rows"]].index(row)


def of_task(group, name):
    return next(task for task in group["tasks"] if task["name"] == name)


def array(text, kind):
    return np.frombuffer(base64.b64decode(text), kind)


def error(group, task, first, second):
    """Standard error of the difference of two rows."""
    n = len(group["rows"])
    i, j = sorted((index(group, first), index(group, second)))
    return float(array(task["errors"], "<f4")[i * n - i * (i + 1) // 2 + j - i - 1])


def test_rows_are_all_ways_of_scoring_and_the_control(group):
    rows = [row["id"] for row in group["rows"]]
    assert {E2, E6, TYPICAL, SPN, "ratspn/K5-normal/bottom_half/top/score", VAE} < {*rows}
    assert "ratspn/K5-normal/all/top/complexity" in rows and rows[-1] == "compressed_size"
    assert len({*rows}) == len(rows)
    assert group["methods"] == {
        "dcgmm": "DCGMM", "ratspn": "RAT-SPN", "vae": "VAE", "compressed_size": "size as PNG"
    }  # fmt: skip
    assert [row["top"] for row in group["rows"] if row["id"] in (E2, E6)] == [False, True]


@pytest.mark.parametrize("row", [E2, E6, TYPICAL, SPN])
@pytest.mark.parametrize("task", ["outliers", "fashion_mnist", "constant"])
def test_numbers_are_those_of_the_measures(group, sides, row, task):
    inliers, outliers = sides(row, task)
    shown, i = of_task(group, task), index(group, row)
    for name, measure in metrics.MEASURES.items():
        values = [100 * measure.function(*both) for both in zip(inliers, outliers, strict=True)]
        want = summarise(values)
        expected = [want.n, want.mean, want.std, max(want.low, 0), min(want.high, 100)]
        assert shown["cells"][name][i][:5] == pytest.approx(expected, abs=1e-4)
        if name == "auroc":
            assert [a for a in shown["areas"][i] if a] == pytest.approx(values, abs=1e-4)
            test = 100 * np.array(delong.mean_interval(inliers, outliers))
            assert shown["cells"][name][i][5:] == pytest.approx(test, abs=1e-4)


def test_a_curve_is_exact_at_every_share_of_inliers():
    rng = np.random.default_rng(3)
    for n, m in ((40, 7), (333, 90), (1, 1)):
        inliers, outliers = rng.integers(0, 30, n) * 1.0, rng.integers(-9, 20, m) * 1.0
        drawn = explorer.curve(inliers, outliers)
        kept, rejected, _ = metrics.exact_curve(inliers, outliers)
        for share in range(1, 101):
            best = rejected[kept * n >= share * n / 100 - 1e-9].max()
            assert drawn[share] == pytest.approx(best)
        assert drawn[95] == pytest.approx(1 - metrics.fpr95(inliers, outliers))


def test_curves_are_means_over_seeds(group, sides):
    task, i = of_task(group, "outliers"), index(group, SPN)
    curves = array(task["curves"], "u1").reshape(-1, explorer.STEPS + 1)
    seeds = zip(*sides(SPN, "outliers"), strict=True)
    means = np.mean([explorer.curve(*both) for both in seeds], axis=0)
    assert curves[i] / explorer.CURVE_LEVELS == pytest.approx(means, abs=0.5 / 255 + 1e-9)


def test_histograms_count_every_image_and_bear_extreme_outliers(group):
    task, i = of_task(group, "outliers"), index(group, E6)
    counts = array(task["histograms"], "<u2").reshape(-1, 2, explorer.BINS)[i]
    assert counts.sum(axis=1).tolist() == [108, 12]
    rng = np.random.default_rng(0)
    inliers = rng.normal(size=1000)
    low, high, counts = explorer.histogram(inliers, np.array([-1e9, -np.inf, np.inf, 0.0]))
    assert -10 < low < high < 10 and np.count_nonzero(counts[0]) > 10
    assert counts[1, 0] == 2 and counts[1, -1] == 1 and counts[1].sum() == 4
    for same in (0.0, -700.0):
        low, high, counts = explorer.histogram(np.full(5, same), np.full(3, same))
        assert low < same < high and counts.sum() == 8


def test_the_paired_test_is_delongs(tmp_path):
    def first_seed(entry):
        scores = {key: values[:1] for key, values in entry.scores.items()}
        return replace(entry, seeds=entry.seeds[:1], scores=scores)

    page = build(tmp_path, datasets=["mnist"], change=first_seed)
    (group,) = data_of(page)["groups"]
    images = score_bank.read_images(tmp_path / "bank")
    entries = [*score_bank.read(tmp_path / "bank", images)]
    for name in ("outliers", "fashion_mnist"):
        both = {}
        for entry in entries:
            for scores in detection.ways_of_scoring(entry, images["mnist"]):
                found, _ = detection.sides(tasks.table()[name], scores, images["mnist"], "not0")
                id_ = "/".join([*entry.place.split("/")[:2], *scores[1:3], scores.score])
                both[id_] = found and (found[0][0], found[1][0])
        for first, second in [(E6, SPN), (E2, E6), (TYPICAL, SPN)]:
            want = delong.paired(both[first], both[second])
            half = 100 * (want.high - want.low) / 2
            task = of_task(group, name)
            se = error(group, task, first, second)
            assert stats.norm.ppf(0.975) * se == pytest.approx(half, rel=1e-5)
            areas = [task["areas"][index(group, row)][0] for row in (first, second)]
            assert areas[0] - areas[1] == pytest.approx(100 * want.mean, abs=2e-4)
        assert np.isnan(error(group, of_task(group, name), E6, VAE))


def test_equal_models_have_no_error_and_one_image_no_test():
    rng = np.random.default_rng(0)
    one, other = ((rng.normal(size=50), rng.normal(size=9)) for _ in range(2))
    counts = [delong.mean_counts(s[0][None], s[1][None]) for s in (one, other, one)]
    errors = delong.paired_errors(counts)
    assert errors[0, 2] == errors[1, 1] == 0 and errors[0, 1] == errors[1, 2] > 0
    single = [(below, above[:1]) for below, above in counts]
    assert np.isnan(delong.paired_errors(single)).all()


def test_failed_seeds_and_missing_sets_say_why(group):
    task, i = of_task(group, "outliers"), index(group, SPN)
    assert task["areas"][i][1] is None and task["cells"]["auroc"][i][0] == 2
    assert task["reasons"][i] == f"seed 1: {example_bank.REASON}"
    assert task["cells"]["auroc"][index(group, VAE)] is None
    missing = of_task(group, "digits8x8")
    assert all(cell is None for cells in missing["cells"].values() for cell in cells)
    failed = "; ".join(f"seed {seed}: {example_bank.REASON}" for seed in range(3))
    assert missing["reasons"][index(group, VAE)] == failed
    assert {*missing["reasons"]} == {example_bank.MISSING, failed}
    assert missing["outliers"]["n"] == 0


def test_infinite_scores_have_ranks_but_no_thresholds(tmp_path):
    def endless(entry):
        for (name, *_), values in entry.scores.items():
            if name == "fashion_mnist":
                values[:, :3] = -np.inf
        return entry

    (group,) = data_of(build(tmp_path, datasets=["mnist"], change=endless))["groups"]
    task, i = of_task(group, "fashion_mnist"), index(group, E6)
    assert task["cells"]["auc100"][i] is None and task["cells"]["auroc"][i][0] == 3
    assert "infinite" in task["reasons"][i]["auc100"] and not task["reasons"][i]["auroc"]


def test_pictures_are_those_of_the_extreme_images(folder, group):
    images = score_bank.read_images(folder / "bank")["mnist"]
    kept = data_of(folder / "explorer.html")["sets"]["mnist"]["test"]
    assert kept["labels"] == images.labels["test"][images.kept["test"]].tolist()
    places = group["rows"][index(group, E6)]["extremes"]["test"]
    entry = score_bank.read_entry(
        folder / "bank/dcgmm/E-paper/mnist/not0.npz", folder / "bank", {"mnist": images}
    )
    want = score_bank.extremes(entry.scores["test", "all", "6"])
    assert [images.kept["test"][side].tolist() for side in places] == [s.tolist() for s in want]
    sheet = explorer.sprite(images.pictures["test"])
    assert sheet == kept["png"]
    assert group["rows"][index(group, E2)]["extremes"] == {}


def test_colour_pictures_and_none():
    assert base64.b64decode(explorer.sprite(np.zeros((33, 4, 5, 3), np.uint8)))[:4] == b"\x89PNG"


def test_a_page_of_nothing(tmp_path):
    shown = explorer.content(tmp_path / "nothing", tasks.of_run({}).values(), "mine")
    assert shown["groups"] == [] and "no results" in explorer.rendered(shown)


def hostile(entry):
    if entry.metadata["method"] == "vae":
        reasons = dict.fromkeys(entry.metadata["reasons"], HOSTILE)
        return replace(entry, metadata=entry.metadata | {"title": HOSTILE, "reasons": reasons})
    return entry


def test_no_text_ends_the_data(tmp_path):
    page = build(tmp_path, datasets=["mnist"], change=hostile)
    text = page.read_text("utf-8")
    assert HOSTILE not in text and text.count("</script>") == 2
    assert HOSTILE in {row["model"] for row in data_of(page)["groups"][0]["rows"]}


def test_the_page_stands_alone(folder):
    text = (folder / "explorer.html").read_text("utf-8")
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)
    assert "innerHTML" not in text and "@import" not in text and "default-src 'none'" in text
    assert {*re.findall(r'href="([^"#]+)"', text)} == {
        "data:,",
        "index.html",
        "tables/detection.csv",
    }


def opened(page, fragment=""):
    """The page's elements, as the browser has them after its script."""
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    command = [
        CHROMIUM,
        "--headless",
        *root,
        "--disable-gpu",
        "--dump-dom",
        page.as_uri() + fragment,
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def link(text):
    return re.search(r'id="link" href="[^"]*(#[^"]*)"', text).group(1).replace("&amp;", "&")


def verdict(text):
    found = re.search(r'<div id="verdict".*?>(.*)</div>\s*</section>', text, re.S).group(1)
    return html.unescape(re.sub("<.*?>", "", found))


browser = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


@browser
@pytest.mark.parametrize(
    "fragment",
    [
        f"#fits=mnist/not0&task=outliers&measure=auroc&evidence=all&layer=highest&score=score"
        f"&rows={E6},{SPN}&pair={SPN},{E6}&sort=-value",
        f"#fits=fashion_mnist/not0&task=constant&measure=fpr95&evidence=any&layer=6&score=typicality"
        f"&without=vae,compressed_size&rows={TYPICAL}&sort=model",
        "#fits=mnist/not0&task=digits8x8&measure=aupr_in&evidence=bottom_half&layer=any&score=any"
        f"&rows=&pair={E2},{VAE}&sort=-n",
    ],
)
def test_a_view_is_read_back_from_its_address(folder, fragment):
    text = opened(folder / "explorer.html", fragment)
    assert link(text) == fragment
    boxes = re.findall(r'<input type="checkbox" id="compare-[^>]*>', text)
    asked = re.search("&rows=([^&]*)", fragment).group(1)
    assert boxes and sum("checked" in box for box in boxes) == len(asked.split(",")) * bool(asked)


@browser
def test_an_unknown_view_is_the_first_one(folder):
    fragment = (
        "#fits=x&task=y&measure=z&evidence=<b>&layer=1&score=q&rows=a,b&pair=c,d&sort=-__proto__"
    )
    text = opened(folder / "explorer.html", fragment)
    start = "#fits=mnist/not0&task=outliers&measure=auroc&evidence=all&layer=highest&score=score"
    assert link(text) == f"{start}&rows=&sort=-value"
    assert link(opened(folder / "explorer.html")).startswith(start)


@browser
@pytest.mark.parametrize("pair", [(E6, SPN), (SPN, E2), (E6, TYPICAL)])
def test_the_browser_computes_the_same_paired_tests(folder, group, sides, pair):
    text = verdict(opened(folder / "explorer.html", f"#task=outliers&pair={','.join(pair)}"))
    one = r"([+−][\d.]+)"
    pattern = rf"{one} points, 95 % interval \[{one}, {one}\], p (?:= (0\.\d+)|<)"
    shown = re.findall(pattern, text)
    task = of_task(group, "outliers")
    areas = [
        dict(zip(group["rows"][i]["seeds"], task["areas"][i], strict=True))
        for i in (index(group, row) for row in pair)
    ]
    means = [np.mean([area for area in each.values() if area is not None]) for each in areas]
    se = error(group, task, *pair)
    difference = means[0] - means[1]
    half = stats.norm.ppf(0.975) * se
    p = 2 * stats.norm.sf(abs(difference) / se)
    common = [s for s in areas[0] if areas[0][s] is not None and areas[1][s] is not None]
    seeds = intervals.paired(*([each[s] for s in common] for each in areas))
    for found, want in zip(
        shown,
        [(difference, difference - half, difference + half, p),
         (seeds.mean, seeds.low, seeds.high, seeds.p)],
        strict=True,
    ):  # fmt: skip
        numbers = [float(part.replace("−", "-") or 0) for part in found]
        assert numbers == pytest.approx(want, abs=0.051)
        assert numbers[3] == pytest.approx(want[3], abs=0.006)


@browser
def test_hostile_text_stays_text_in_the_browser(tmp_path):
    page = build(tmp_path, datasets=["mnist"], change=hostile)
    text = opened(page, f"#score=any&rows={VAE}&pair={VAE},{E6}")
    body = re.sub(r"<script.*?</script>", "", text, flags=re.S)
    assert "<img" not in body and "&lt;/script&gt;&lt;img" in body


@browser
def test_what_is_missing_says_why_in_the_browser(folder):
    text = opened(folder / "explorer.html", "#task=digits8x8")
    assert text.count(f">{example_bank.MISSING}</td>") == 3 and "★ </span>" not in text
    text = opened(folder / "explorer.html", f"#task=outliers&pair={E6},{VAE}")
    assert f"no result, seed 0: {example_bank.REASON}" in verdict(text)
