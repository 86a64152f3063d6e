"""The gate must fail when it should: each kind of damage to a committed notebook, through `python -m tools.gate`.

A small notebook is made and run for real by `tools/refresh.py`; then copies of it are damaged.
"""

import base64
import copy
import io
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbval.plugin import get_sanitize_patterns
from PIL import Image

from helpers.settings import ROOT
from tools.gate import pictures, rules
from tools.gate.cells import code_cells
from tools.gate.form import easy_to_step_through, no_magic, short_texts
from tools.refresh import MASKS, settle_texts

one_notebook = pytest.mark.xdist_group("one_notebook")  # made and judged once, on one worker
CELLS = {
    "words": "print('bird gets hit, score', 0.8123)",
    "table": (
        "from IPython.display import HTML, display\n\n"
        "table = '<table><tr><td>12.0</td><td>0.5</td></tr></table>'\n"
        "display({'text/plain': '12.0  0.5', 'text/html': table}, raw=True)"
    ),
    "figure": (
        "import base64\nimport io\n\nfrom PIL import Image, ImageDraw\n\n"
        "figure, buffer = Image.new('RGB', (300, 200), 'white'), io.BytesIO()\n"
        "ImageDraw.Draw(figure).line([(20, 140), (150, 40), (280, 120)], 'blue', 3)\nfigure.save(buffer, 'PNG')\n"
        "png = base64.b64encode(buffer.getvalue()).decode()\n"
        'html = f\'<img alt="1, 4, 2" src="data:image/png;base64,{png}">\'\n'
        "display({'image/png': png, 'text/html': html}, raw=True)"
    ),
    "poster": (
        "buffer = io.BytesIO()\n"
        "Image.linear_gradient('L').convert('RGB').save(buffer, 'JPEG')\n"
        "poster = base64.b64encode(buffer.getvalue()).decode()\n"
        "HTML(f'<video poster=\"data:image/jpeg;base64,{poster}\"></video>')"
    ),
    "error": "raise ValueError('no such file')",
    "time": "import time\n\nprint('took', round(time.perf_counter(), 6), 's', object())",
}


def run(tool: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"tools.{tool}", *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": ""},
    )


def picture(text: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB")


def encoded(image: Image.Image, kind: str = "PNG") -> str:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return base64.b64encode(buffer.getvalue()).decode()


def moved(text: str, kind: str = "PNG") -> str:
    """The same picture with one marker, six pixels wide, somewhere else."""
    image = picture(text)
    image.paste((0, 0, 0), (20, 20, 26, 26))
    return encoded(image, kind)


def nudged(text: str, levels: int = 2) -> str:
    """The same picture as another machine may draw it: every pixel a little off."""
    pixels = np.asarray(picture(text)).astype(int) - levels
    return encoded(Image.fromarray(pixels.clip(0, 255).astype(np.uint8)))


def in_uri(html: str, change: Callable[[str], str]) -> str:
    return re.sub(r"(?<=;base64,)[\w+/=]+", lambda uri: change(uri.group()), html)


# ---------------------------------------------------------------- what is done to a cell


def data(cell: Any) -> Any:
    return cell.outputs[0]["data"]


def other_words(cell: Any) -> None:
    cell.outputs[0].text = "bird gets hit, score 0.8124\n"


def other_number_in_a_table(cell: Any) -> None:
    data(cell)["text/html"] = data(cell)["text/html"].replace("<td>12.0</td>", "<td>13.0</td>")


def other_error(cell: Any) -> None:
    cell.outputs[0].evalue = "no such video"


def other_code(cell: Any) -> None:
    cell.source = cell.source.replace("(150, 40)", "(150, 44)")


def other_png(cell: Any) -> None:
    data(cell)["image/png"] = moved(data(cell)["image/png"])


def other_picture_in_html(cell: Any) -> None:
    data(cell)["text/html"] = in_uri(data(cell)["text/html"], moved)


def other_poster(cell: Any) -> None:
    data(cell)["text/html"] = in_uri(data(cell)["text/html"], lambda uri: moved(uri, "JPEG"))


def no_picture_in_html(cell: Any) -> None:
    data(cell)["text/html"] = re.sub('data:[^"]+', "", data(cell)["text/html"])


def no_png(cell: Any) -> None:
    del data(cell)["image/png"]


def stripped(cell: Any) -> None:
    cell.outputs, cell.execution_count = [], None


def counter_stripped(cell: Any) -> None:
    cell.execution_count = None


def output_stripped(cell: Any) -> None:
    cell.outputs = []


def untouched(cell: Any) -> None:
    pass


def from_another_machine(cell: Any) -> None:
    """The same pictures, a level or two off."""
    data(cell)["image/png"] = nudged(data(cell)["image/png"])
    data(cell)["text/html"] = in_uri(data(cell)["text/html"], lambda uri: nudged(uri, levels=1))


Change = Callable[[Any], None]
DAMAGE: list[tuple[Change, str]] = [
    (other_words, "words"),
    (other_number_in_a_table, "table"),
    (other_error, "error"),
    (other_code, "figure"),
    (other_png, "figure"),
    (other_picture_in_html, "figure"),
    (other_poster, "poster"),
    (no_picture_in_html, "poster"),
    (no_png, "figure"),
    (stripped, "words"),
    (stripped, "figure"),
    (counter_stripped, "table"),
    (output_stripped, "words"),
]
HARMLESS: list[tuple[Change, str]] = [
    *((untouched, name) for name in CELLS),
    (from_another_machine, "figure"),
]
# Harmless cells come first: they import what the others need.
CHANGES = [*HARMLESS, *DAMAGE]
label = [f"{change.__name__}-{cell}" for change, cell in CHANGES]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small notebook with the outputs of a real run."""
    path = tmp_path_factory.mktemp("small") / "small.ipynb"
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in CELLS.values()]
    )
    notebook.cells[list(CELLS).index("error")].metadata.tags = ["raises-exception"]
    nbformat.write(notebook, path)
    done = run("refresh", path)
    assert done.returncode == 0, done.stdout + done.stderr
    return path


@pytest.fixture(scope="module")
def damaged(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A notebook with a cell for each change, so that one run of the gate judges them all."""
    cells = dict(zip(CELLS, nbformat.read(small, as_version=4).cells, strict=True))
    judged = [copy.deepcopy(cells[name]) for _, name in CHANGES]
    for number, (cell, (change, _)) in enumerate(zip(judged, CHANGES, strict=True)):
        cell.id = f"cell-{number}"
        change(cell)
    notebook = nbformat.v4.new_notebook(cells=judged)
    path = tmp_path_factory.mktemp("damaged") / "damaged.ipynb"
    nbformat.write(notebook, path)
    return path


def failures(notebook: Path, *options: str) -> tuple[int, set[str]]:
    """Exit code of the gate for the damaged notebook, and the labels of the cells that failed."""
    report = notebook.with_suffix(".xml")
    done = run("gate", notebook, f"--junitxml={report}", *options)
    cases = list(ET.parse(report).iter("testcase"))
    assert len(cases) == len(CHANGES), done.stdout + done.stderr
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    return done.returncode, {label[int(case.attrib["name"].removeprefix("Cell "))] for case in failed}


@pytest.fixture(scope="module")
def verdict(damaged: Path) -> tuple[int, set[str]]:
    return failures(damaged)


# ---------------------------------------------------------------- the comparison


@one_notebook
@pytest.mark.slow
@pytest.mark.parametrize("what", label[len(HARMLESS) :])
def test_damage_fails(verdict: tuple[int, set[str]], what: str) -> None:
    code, failed = verdict
    assert code != 0
    assert what in failed


@one_notebook
@pytest.mark.slow
@pytest.mark.parametrize("what", label[: len(HARMLESS)])
def test_the_same_passes(verdict: tuple[int, set[str]], what: str) -> None:
    assert what not in verdict[1]


@one_notebook
@pytest.mark.slow
def test_an_untouched_notebook_passes(small: Path) -> None:
    done = run("gate", small)
    assert done.returncode == 0, done.stdout
    assert f"{len(CELLS)} passed" in done.stdout


@one_notebook
@pytest.mark.slow
def test_no_mask_hides_a_changed_picture(
    damaged: Path, verdict: tuple[int, set[str]], tmp_path: Path
) -> None:
    masks = tmp_path / "masks.cfg"
    masks.write_text(MASKS.read_text("utf-8") + '\nregex: data:image/[^"]*\nreplace: PICTURE\n', "utf-8")
    assert failures(damaged, f"--nbval-sanitize-with={masks}") == verdict


@pytest.mark.slow
def test_a_gate_without_notebooks_fails(tmp_path: Path) -> None:
    assert run("gate", tmp_path / "nothing.ipynb").returncode != 0


@one_notebook
@pytest.mark.slow
def test_refresh_twice_changes_nothing(small: Path) -> None:
    before = small.read_bytes()
    assert run("refresh", small).returncode == 0
    clock = rb"took [\d.]+ s <object object at \w+>"  # the one thing here that a run may change
    assert re.sub(clock, b"", small.read_bytes()) == re.sub(clock, b"", before)


@one_notebook
@pytest.mark.slow
def test_a_notebook_that_stops_is_left_as_it_was(small: Path, tmp_path: Path) -> None:
    notebook = nbformat.read(small, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if "no such file" in cell.source]
    notebook.cells[0].metadata.tags = []
    path = tmp_path / "stops.ipynb"
    nbformat.write(notebook, path)
    before = path.read_bytes()
    done = run("refresh", path)
    assert done.returncode == 1
    assert "no such file" in done.stdout
    assert path.read_bytes() == before


# ---------------------------------------------------------------- a fixture that is gone


@pytest.mark.slow
def test_a_removed_fixture_fails(tmp_path: Path) -> None:
    """In a copy of the tree, so that the real one is never without its fixtures."""
    tree = tmp_path / "tree"
    shutil.copytree(
        ROOT, tree, ignore=shutil.ignore_patterns(".*", "notebooks", "data", "*.egg-info", "__pycache__")
    )
    (tree / "data").mkdir()
    for path in (ROOT / "data").iterdir():
        if path.name == "fixtures":
            shutil.copytree(path, tree / "data" / "fixtures")
        else:
            (tree / "data" / path.name).symlink_to(path)
    (tree / "data" / "fixtures" / "segments.parquet").rename(tree / "segments.parquet")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--noconftest",
        "tests/test_files.py",
        "-k",
        "fixtures",
    ]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "2 failed, 1 passed" in done.stdout


# ---------------------------------------------------------------- pictures


def test_one_moved_point_is_a_change_and_rounding_is_none() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(40, 200, (120, 160, 3))
    image = encoded(Image.fromarray(pixels.astype(np.uint8)))
    noise = encoded(Image.fromarray((pixels + rng.integers(-2, 3, pixels.shape)).astype(np.uint8)))
    paler = encoded(Image.fromarray((pixels + 6).astype(np.uint8)))
    a, b, c, d = (base64.b64decode(text) for text in (image, noise, moved(image), paler))
    assert pictures.difference(a, a) == pictures.difference(a, b) == ""
    assert "pixels changed" in pictures.difference(a, c)
    assert "levels off" in pictures.difference(a, d)


def test_another_size_and_a_broken_picture_are_changes() -> None:
    small, large = (base64.b64decode(encoded(Image.new("RGB", size))) for size in ((10, 10), (11, 10)))
    assert "10x10" in pictures.difference(small, large)
    assert "cannot be read" in pictures.difference(small, b"not a picture")


@pytest.mark.parametrize(
    "uri", ["data:video/mp4;base64,AAAA", "data:image/svg+xml,%3Csvg%3E", "data:text/plain,words"]
)
def test_other_data_uris_are_compared_exactly(uri: str) -> None:
    def outputs(text: str) -> list[Any]:
        return [nbformat.v4.new_output("display_data", {"text/html": f'<video src="{text}"></video>'})]

    assert pictures.settle(outputs(uri), outputs(uri)) == []
    assert len(pictures.settle(outputs(uri), outputs(uri + "AAAA"))) == 1


# ---------------------------------------------------------------- masks


def test_every_mask_is_read() -> None:
    text = MASKS.read_text("utf-8")
    parsed = get_sanitize_patterns(text)
    assert parsed
    assert rules.unread_masks(text, len(parsed)) == []
    assert len({regex for regex, _ in parsed}) == len(parsed)


@pytest.mark.parametrize(
    "text", ["regex: a\n\nreplace: b\n", "regex: a\nreplace:\n", "Regex: a\nreplace: b\n"]
)
def test_a_mask_that_nbval_drops_is_noticed(text: str) -> None:
    assert rules.unread_masks(text, len(get_sanitize_patterns(text))) != []


def test_a_refresh_keeps_a_text_of_which_only_a_time_is_new() -> None:
    def stream(text: str) -> Any:
        return nbformat.v4.new_output("stream", name="stdout", text=text)

    old = [stream("Milvus: took 8.13 ms, 5 hits"), stream("memory: took 0.2 ms, 5 hits")]
    new = [stream("Milvus: took 5.81 ms, 5 hits"), stream("memory: took 0.3 ms, 6 hits")]
    settle_texts(old, new)
    assert [each.text for each in new] == ["Milvus: took 8.13 ms, 5 hits", "memory: took 0.3 ms, 6 hits"]


@pytest.mark.parametrize(
    "taught",
    [
        "0.8123",
        "recall@1 0.600",
        "12.0-18.0 s",
        "0:12-0:18",
        "1. Big Buck Bunny, 1:24-1:30, score 0.312",
        "1.0 s",
        "t=12,18",
    ],
)
def test_no_mask_touches_what_is_taught(taught: str) -> None:
    for regex, replace in get_sanitize_patterns(MASKS.read_text("utf-8")):
        assert re.sub(regex, replace, taught) == taught


# ---------------------------------------------------------------- the guards


def model_notebook() -> Any:
    """A notebook without content that keeps every rule."""
    words = "Some words of prose that explain one idea. " * 6
    png = encoded(Image.new("RGB", (8, 8), "white"))
    cells = [
        nbformat.v4.new_markdown_cell(
            "# A title\n\nYou will be able to\n\n- one\n- two\n- three\n\n**Prerequisites**\n\n"
            "| what | why |\n|---|---|\n| Python | cells |\n\nTime: 20 min. What it costs live: nothing."
        )
    ]
    for number in range(1, 24):
        code = f"milvus.search({number})" if number > 15 else f"print({number}, 'clips')"
        out = [nbformat.v4.new_output("stream", name="stdout", text=f"{number} clips\n")]
        cells.append(nbformat.v4.new_markdown_cell(words))
        cells.append(nbformat.v4.new_code_cell(code, execution_count=number, outputs=out))
    bundle = {
        "image/png": png,
        "text/html": f'<img alt="3 bars" src="data:image/png;base64,{png}">',
        "text/plain": "3",
    }
    cells[2].outputs.append(nbformat.v4.new_output("display_data", bundle))
    cells.append(
        nbformat.v4.new_markdown_cell("## Recap\n\n- one\n\n## Resources\n\nLinks.\n\nNext: [two](02.ipynb)")
    )
    return nbformat.v4.new_notebook(cells=cells)


def first_code(notebook: Any) -> Any:
    return code_cells(notebook)[0]


def broken(notebook: Any, rule: str) -> None:
    """Break one rule, and no other."""
    cell, last = first_code(notebook), notebook.cells[-1]
    stream = cell.outputs[0]
    match rule:
        case "run_once_from_top_to_bottom":
            cell.execution_count = 7
        case "no_surprising_errors":
            cell.outputs.append(nbformat.v4.new_output("error", ename="E", evalue="", traceback=[]))
        case "enough_output":
            for other in code_cells(notebook)[1:12]:
                other.outputs = []
        case "no_private_things":
            stream.text += "/home/someone/videos\n"
        case "no_state_of_widgets":
            notebook.metadata.widgets = {}
        case "pictures_speak":
            html = cell.outputs[1].data["text/html"]
            cell.outputs[1].data["text/html"] = html.replace('alt="3 bars"', 'alt=""')
        case "everything_is_compared":
            cell.source += "\n# NBVAL_IGNORE_OUTPUT"
        case "easy_to_step_through":
            cell.source = "\n".join(["print()"] * 16)
        case "short_texts":
            cell.source += "  # " + "x" * 100
        case "no_magic":
            for other in code_cells(notebook):
                other.source = other.source.replace("milvus.search", "search")
        case "verdicts_hold":
            notebook.cells[3].source = (
                "**On the samples, offline:** 4321 clips.\n\n" + notebook.cells[3].source
            )
        case "plain_words":
            last.source += "\n\nThis is simply so."
        case "one_title":
            last.source += "\n\n# Another"
        case "a_head":
            notebook.cells[0].source = notebook.cells[0].source.replace("20 min", "a while")
        case "a_tail":
            last.source = last.source.replace("## Recap", "## So")


def test_the_model_keeps_every_rule() -> None:
    assert {rule.__name__: rule(model_notebook()) for rule in rules.RULES} == {
        rule.__name__: [] for rule in rules.RULES
    }


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_each_rule_can_fail(rule: rules.Rule) -> None:
    notebook = model_notebook()
    broken(notebook, rule.__name__)
    assert [other.__name__ for other in rules.RULES if other(notebook)] == [rule.__name__]


def test_a_lesson_of_helpers_alone_needs_no_call_of_a_client() -> None:
    notebook = model_notebook()
    broken(notebook, "no_magic")
    first_code(notebook).source += '\nload_settings(notebook="10")'
    assert no_magic(notebook) == []


def test_a_call_of_scikit_learn_is_one_that_no_helper_makes() -> None:
    notebook = model_notebook()
    broken(notebook, "no_magic")
    for code in code_cells(notebook)[-6:]:
        code.source = "model = KMeans(3)"
    assert no_magic(notebook) != []
    first_code(notebook).source += "\nfrom sklearn.cluster import HDBSCAN, KMeans"
    assert no_magic(notebook) == []


TOO_MUCH: dict[str, Callable[[Any], Any]] = {
    "a code cell of 16 lines": lambda n: first_code(n).update(source="\n".join(["print()"] * 16)),
    "three code cells in a row": lambda n: [n.cells.pop(5), n.cells.pop(6)],
    "six predictions": lambda n: n.cells[1].update(source="**Predict.** Which? " * 6),
    "a text of 121 words": lambda n: n.cells[1].update(source="word " * 121),
    "too many words": lambda n: [c.update(source="word " * 120) for c in n.cells[1:-1:2]],
    "no resources": lambda n: n.cells[-1].update(source=n.cells[-1].source.replace("Resources", "Links")),
}


@pytest.mark.parametrize("fault", TOO_MUCH)
def test_each_limit_of_the_form(fault: str) -> None:
    notebook = model_notebook()
    TOO_MUCH[fault](notebook)
    limits = (easy_to_step_through, short_texts, rules.a_tail)
    assert [said for rule in limits for said in rule(notebook)] != []


@pytest.mark.parametrize(
    ("verdict", "holds"),
    [
        ("**On the samples, offline:** the first says 1, the second 2.", True),
        ("**In the stored run:** recall is 0.99.", False),
        ("**On made-up rows:** 2 of\n17 rows.", False),
        ("Elsewhere 17 may stand.", True),
        ("## Another section\n\n**On the samples, offline:** 2 clips.", False),
    ],
)
def test_a_verdict_says_only_what_was_shown_in_its_section(verdict: str, holds: bool) -> None:
    notebook = model_notebook()
    notebook.cells[5].source = verdict
    assert (rules.verdicts_hold(notebook) == []) is holds


@pytest.mark.parametrize("key", ["api_key = 'abcdefghijklmnop1234'", "print('tlk_0123456789')"])
def test_a_key_in_a_cell_is_found(key: str) -> None:
    notebook = model_notebook()
    first_code(notebook).source = key
    assert rules.no_private_things(notebook) != []


def test_a_picture_without_numbers_in_words_is_found() -> None:
    notebook = copy.deepcopy(model_notebook())
    first_code(notebook).outputs[0].text = "see below\n"
    first_code(notebook).outputs[1].data["text/plain"] = "<Figure size 640x480 with 1 Axes>"
    assert rules.pictures_speak(notebook) != []


def test_a_dead_link_a_gap_and_a_large_file_are_found(tmp_path: Path) -> None:
    path = tmp_path / "01_one.ipynb"
    nbformat.write(model_notebook(), path)
    assert rules.links_lead_somewhere(path, model_notebook()) == ["the link 02.ipynb leads nowhere"]
    assert rules.small_enough(path) == []
    path.write_bytes(b" " * rules.MAX_BYTES)
    assert rules.small_enough(path) != []
    assert rules.in_order(["01_a.ipynb", "02_b.ipynb"]) == []
    assert rules.in_order(["01_a.ipynb", "03_b.ipynb"]) != []
