"""The cluster explorer in a real browser: points clicked, drawn around, searched and named, in JupyterLab."""

import json
import re
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.path import Path as Outline
from playwright.sync_api import FloatRect, Locator, Page, WebSocket, expect

from helpers.analysis.clusters import kmeans_clusters, map_points
from helpers.analysis.labels import read_labels
from helpers.analysis.matrix import cluster_matrix
from helpers.analysis.outliers import medoids
from helpers.explorer.state import nearest_rows
from tests.browser.pages import REQUESTS, barriers, players_stand, stands_at, wait_until
from tools.browser import PATIENCE, run_all_cells, write_notebook

HOSTILE = "<img src=x onerror=window.hacked=1>"
CELLS = [
    f"""import numpy as np
import pandas as pd

films = [("data/videos/big-buck-bunny.mp4", "the rabbit", 24), ("data/videos/cat.mp4", {HOSTILE!r}, 2),
         ("data/videos/gone.mp4", "a film that has moved", 3)]
rows = [(url, title, 120.0 * (title == "the rabbit") + 6.0 * i) for url, title, n in films for i in range(n)]
clips = pd.DataFrame(rows, columns=["video_url", "title", "start_offset_sec"])
clips["end_offset_sec"] = clips["start_offset_sec"] + 6
clips["segment_id"] = [f"s{{i:02d}}" for i in range(len(clips))]
clips["video_id"] = clips["video_url"]
noise = np.random.default_rng(4).normal(scale=0.3, size=(len(clips), 8))
clips["embedding_visual"] = list((np.eye(8)[np.arange(len(clips)) % 3] + noise).astype("float32"))

from helpers import cluster_matrix, kmeans_clusters
found = kmeans_clusters(cluster_matrix(clips), 3)  # the same clusters by the other vectors, on another map
clips["embedding_description"] = list(clips["embedding_visual"] + list(3 * np.eye(8, dtype="float32")[5 + found]))""",
    """from helpers import cluster_explorer

def search(words):
    return clips.assign(score=0.5).iloc[[20, 3, 27]] if words == "lights" else clips.head(0)

explorer = cluster_explorer(clips, search=search, labels="labels.parquet", folder="out", k=3)
explorer""",
    """import json
print(json.dumps([explorer.selection["segment_id"].tolist(), explorer.clusters.to_dict()]))""",
]
given: dict[str, Any] = {}
exec(CELLS[0], given)
CLIPS: pd.DataFrame = given["clips"]
MATRIX = cluster_matrix(CLIPS)
POINTS = map_points(MATRIX).to_numpy()
GONE, CAT = 26, 24  # the first rows of these films


@pytest.fixture(scope="module")
def notebook(tree: Path) -> Path:
    """A scratch notebook of the explorer."""
    return write_notebook(tree / "notebooks" / "explorer.ipynb", CELLS)


ERRORS: list[str] = []
STILLS: list[int] = []  # +1 for each still that the page asks the kernel for, -1 for each answer


def count_stills(socket: WebSocket) -> None:
    def note(payload: str | bytes, step: int) -> None:
        data = payload.encode() if isinstance(payload, str) else payload
        if b'"method":"custom"' in data.replace(b" ", b"") and b'"still"' in data:
            STILLS.append(step)

    socket.on("framesent", lambda payload: note(payload, 1))
    socket.on("framereceived", lambda payload: note(payload, -1))


@pytest.fixture(scope="module")
def watched(page: Page) -> Page:
    """JupyterLab with an eye on what it asks for, and on its console."""
    page.on("websocket", lambda socket: REQUESTS.append(socket.url))
    page.on("websocket", count_stills)
    page.on("pageerror", lambda error: ERRORS.append(str(error)))
    page.on("console", lambda line: ERRORS.append(line.text) if line.type == "error" else None)
    return page


@pytest.fixture(scope="module")
def whole(watched: Page, opened: Page) -> Iterator[Page]:
    """The notebook run."""
    with players_stand(opened):
        run_all_cells(opened)
        opened.locator(".explorer canvas").wait_for()
        expect(opened.locator(".jp-CodeCell .jp-InputPrompt", has_text="*")).to_have_count(
            0, timeout=PATIENCE
        )
        opened.locator(".explorer canvas").evaluate("c => c.scrollIntoView({ block: 'center' })")
        yield opened


@pytest.fixture
def explorer(whole: Page) -> Locator:
    """The widget as it is at first: no selection, the whole map, dragging moves it."""
    box = whole.locator(".jupyter-widgets.widget-vbox", has=whole.locator(".explorer"))
    box.get_by_role("button", name="Whole map").click()
    if box.get_by_role("button", name="Clear", exact=True).count():
        box.get_by_role("button", name="Clear", exact=True).click()
    return box


def places(explorer: Locator, points: np.ndarray = POINTS) -> tuple[np.ndarray, FloatRect]:
    """Where the points of `map_points` are on the screen: in the middle, with 25 pixels of room at the edges."""
    box = explorer.locator(".plot canvas").bounding_box()
    assert box
    low, high = points.min(axis=0), points.max(axis=0)
    scale = min((box["width"] - 50) / (high - low)[0], (box["height"] - 50) / (high - low)[1])
    moved = (points - (low + high) / 2) * [scale, -scale]
    return moved + [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2], box


def click(explorer: Locator, row: int, points: np.ndarray = POINTS) -> None:
    explorer.page.mouse.click(*places(explorer, points)[0][row])


def draw(explorer: Locator, mode: str, corners: list[tuple[float, float]]) -> None:
    """Press the mouse in the first corner, and let it go in the last; corners are shares of the map."""
    _, box = places(explorer)
    mouse = explorer.page.mouse
    explorer.get_by_role("button", name=mode, exact=True).click()
    for i, (x, y) in enumerate(corners):
        mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=5)
        if not i:
            mouse.down()
    mouse.up()
    explorer.get_by_role("button", name="Move map").click()


def written(explorer: Locator) -> dict[str, tuple[float, float]]:
    """What is written on the map, and where on the screen, in the next picture that is drawn."""
    said = explorer.locator("canvas").evaluate(
        """async c => {
          const pen = c.getContext("2d"), box = c.getBoundingClientRect(), said = {};
          pen.fillText = function (text, x, y) {
            said[text] = [x + box.x, y + box.y];
            CanvasRenderingContext2D.prototype.fillText.call(this, text, x, y);
          };
          c.dispatchEvent(new PointerEvent("pointercancel"));
          await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
          delete pen.fillText;
          return said;
        }"""
    )
    return {text: (x, y) for text, (x, y) in said.items()}


def listed(explorer: Locator) -> list[str]:
    return [str(line.get_attribute("data-id")) for line in explorer.locator("tbody tr").all()]


def seen_by_the_next_cell(whole: Page) -> list[Any]:
    """Run the last cell again, and read what it prints."""
    cell = whole.locator(".jp-CodeCell").nth(len(CELLS) - 1)
    before = cell.locator(".jp-InputPrompt").inner_text()
    cell.locator(".cm-content").click()
    whole.keyboard.press("Control+Enter")
    expect(cell.locator(".jp-InputPrompt")).not_to_have_text(before, timeout=PATIENCE)
    expect(cell.locator(".jp-InputPrompt")).not_to_contain_text("*", timeout=PATIENCE)
    answer: list[Any] = json.loads(cell.locator(".jp-OutputArea-output").inner_text())
    whole.locator(".explorer canvas").evaluate("c => c.scrollIntoView({ block: 'center' })")
    return answer


def test_a_clicked_point_plays_from_its_second(explorer: Locator) -> None:
    for row in (7, 16):
        click(explorer, row)
        video = explorer.locator("video")
        start = CLIPS["start_offset_sec"][row]
        wait_until(
            video, f"v.src.endsWith('/files/data/videos/big-buck-bunny.mp4#t={start:g},{start + 6:g}')"
        )
        stands_at(video, start)
    expect(explorer.locator("figcaption")).to_contain_text("the rabbit, 3:36-3:42")
    expect(explorer.locator("figcaption")).to_contain_text("Blender Foundation")


def test_a_click_plays_space_stops_and_replay_begins_again(explorer: Locator) -> None:
    page, video = explorer.page, explorer.locator("video")
    page.evaluate("window.letPlay = true")
    video.evaluate("v => { v.muted = true; }")
    click(explorer, 12)
    wait_until(video, f"!v.paused && v.currentTime > {CLIPS['start_offset_sec'][12]} + 0.1")
    page.keyboard.press("Space")
    wait_until(video, "v.paused")
    page.evaluate("window.letPlay = false")
    video.evaluate("v => { v.currentTime += 2; }")
    explorer.get_by_role("button", name="Replay").click()
    stands_at(video, CLIPS["start_offset_sec"][12])
    plays = int(str(video.get_attribute("data-plays")))
    page.keyboard.press("ArrowRight")  # the next moment of the film
    stands_at(video, CLIPS["start_offset_sec"][13])
    expect(video).to_have_attribute("data-plays", str(plays + 1))


def test_keys_go_to_the_lines_and_list_themselves(explorer: Locator) -> None:
    page, canvas = explorer.page, explorer.locator("canvas")
    click(explorer, 7)
    expect(explorer.get_by_placeholder("a name for cluster")).to_be_enabled()
    lines = {"/": "words to look for", "n": "a name for cluster", "t": "a tag for the selection"}
    for key, place in lines.items():
        canvas.focus()
        page.keyboard.press(key)
        expect(explorer.get_by_placeholder(place)).to_be_focused()
    canvas.focus()
    page.keyboard.press("?")
    expect(explorer.locator(".help")).to_contain_text("play or pause")
    lines = explorer.locator(".help dt").evaluate_all(
        "all => all.map(each => each.getClientRects()[0].height)"
    )
    assert len(lines) > 10 and max(lines) < 1.5 * min(lines), "a key stands in one line"
    page.keyboard.press("Escape")
    expect(explorer.locator(".help")).to_be_hidden()
    page.keyboard.press("/")
    page.keyboard.type("rain")
    page.keyboard.press("Escape")
    expect(explorer.get_by_placeholder("words to look for")).to_have_value("rain")
    page.keyboard.press("?")  # goes to the explorer again
    expect(explorer.locator(".help")).to_be_visible()
    page.keyboard.press("?")
    expect(explorer.locator(".help")).to_be_hidden()


TYPE_FAST = """(line, text) => {
  line.focus();
  for (const letter of text) {
    line.value += letter;
    line.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }
  for (const name of ["keydown", "keypress"])
    line.dispatchEvent(new KeyboardEvent(name, { key: "Enter", keyCode: 13, bubbles: true }));
}"""  # faster than the kernel answers to the first letter


def test_what_is_typed_faster_than_the_kernel_answers_is_taken_whole(explorer: Locator) -> None:
    click(explorer, 7)
    tag = explorer.get_by_placeholder("a tag for the selection")
    tag.evaluate(TYPE_FAST, "schönes Wetter")
    status = explorer.locator(".status")
    expect(status).to_contain_text("1 segment has the tag 'schönes Wetter'", timeout=PATIENCE)
    expect(tag).to_have_value("")
    explorer.get_by_role("button", name="Undo").click()
    expect(status).to_have_text("Undone: the tag 'schönes Wetter'.", timeout=PATIENCE)


def test_the_neighbours_are_the_nearest_and_play(explorer: Locator) -> None:
    click(explorer, 7)
    found = [row for row, _ in nearest_rows(MATRIX, 7, among=np.ones(len(CLIPS), dtype=bool))]
    expect(explorer.locator(".tile").first).to_have_attribute("data-row", str(found[0]), timeout=PATIENCE)
    assert [int(str(tile.get_attribute("data-row"))) for tile in explorer.locator(".tile").all()] == found
    expect(explorer.locator(".tile img")).not_to_have_count(0)
    expect(explorer.locator(".strip")).to_contain_text("Videos: © 2008 Blender Foundation")
    near = next(row for row in found if row < CAT)
    explorer.locator(f".tile[data-row='{near}']").click()
    stands_at(explorer.locator("video"), CLIPS["start_offset_sec"][near])


def test_other_vectors_move_the_numbers_of_the_clusters_too(explorer: Locator) -> None:
    labels = kmeans_clusters(MATRIX, 3)
    other = cluster_matrix(CLIPS, option="description")
    assert np.array_equal(kmeans_clusters(other, 3), labels), "only the map changes"
    for option, points in (("description", map_points(other).to_numpy()), ("visual", POINTS)):
        explorer.get_by_label("vectors").select_option(option)
        at, _ = places(explorer, points)
        middles = [np.sort(at[labels == cluster], axis=0) for cluster in range(3)]
        expected = [rows[len(rows) // 2] for rows in middles]
        until = time.monotonic() + PATIENCE / 1000
        while True:  # the status line says the same before and after
            numbers = written(explorer)
            apart = [abs(numbers[str(cluster)][0] - expected[cluster][0]) for cluster in range(3)]
            if max(apart) < 2 or time.monotonic() > until:
                break
            explorer.page.wait_for_timeout(100)
        assert max(apart) < 2, option
        for cluster, rows in enumerate(middles):
            assert abs(numbers[str(cluster)][1] - rows[:, 1].mean()) < 60, (option, cluster)
    expect(explorer.locator(".status")).to_have_text("29 segments in 3 clusters.", timeout=PATIENCE)


def test_what_cannot_be_done_is_said_above_the_map_and_the_control_goes_back(explorer: Locator) -> None:
    slider = explorer.locator(".widget-slider", has_text="clusters").get_by_role("slider")
    slider.focus()
    slider.press("End")
    status = explorer.locator(".status")
    expect(status).to_contain_text("29 segments, fewer than the 30 clusters", timeout=PATIENCE)
    expect(explorer.locator(".widget-slider", has_text="clusters").locator(".widget-readout")).to_have_text(
        "3"
    )
    above, plot = status.bounding_box(), explorer.locator(".plot").bounding_box()
    assert above and plot and above["y"] + above["height"] <= plot["y"]


def test_what_is_drawn_around_is_selected_and_no_more(explorer: Locator) -> None:
    at, box = places(explorer)
    shape = [(0.02, 0.3), (0.35, 0.02), (0.6, 0.4), (0.5, 0.7), (0.1, 0.75)]
    outline = Outline([(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in shape])
    expected = CLIPS["segment_id"][outline.contains_points(at)].tolist()
    assert 3 <= len(expected) < len(CLIPS)
    draw(explorer, "Lasso", shape)
    expect(explorer.locator(".list h4")).to_contain_text(f"Selection: {len(expected)} segments")
    assert listed(explorer) == expected
    assert seen_by_the_next_cell(explorer.page)[0] == expected
    explorer.locator("tbody tr", has_text="the rabbit").last.locator(".link").click()
    last = [row for row in range(CAT) if CLIPS["segment_id"][row] in expected][-1]
    stands_at(explorer.locator("video"), CLIPS["start_offset_sec"][last])


def test_a_box_selects_too_and_a_click_on_the_legend_takes_a_cluster(explorer: Locator) -> None:
    at, box = places(explorer)
    x, y = (at - [box["x"], box["y"]]).T
    inside = (x > 0.4 * box["width"]) & (y > 0.3 * box["height"])
    draw(explorer, "Box", [(0.4, 0.3), (0.999, 0.999)])
    expect(explorer.locator(".list h4")).to_contain_text(f"Selection: {inside.sum()} segments")
    assert listed(explorer) == CLIPS["segment_id"][inside].tolist()
    explorer.locator(".entry").first.click()
    members = CLIPS["segment_id"][kmeans_clusters(MATRIX, 3) == 0].tolist()
    expect(explorer.locator("tbody tr")).to_have_count(len(members))
    assert listed(explorer) == members
    tiles = explorer.locator(".strip .tile")
    framed = tiles.evaluate_all("all => all.map(t => [+t.dataset.row, t.classList.contains('picked')])")
    assert framed == [[row, CLIPS["segment_id"][row] in members] for row, _ in framed]
    assert any(is_framed for _, is_framed in framed)
    explorer.locator(".entry").first.click()
    expect(explorer.locator("tbody tr")).to_have_count(0)
    expect(explorer.locator(".strip .tile.picked")).to_have_count(0)


def test_words_light_up_points(explorer: Locator) -> None:
    at, box = places(explorer)

    def ring(row: int) -> bool:
        """Whether the orange ring is around a point, on any side of it."""
        x, y = at[row] - [box["x"], box["y"]]
        pixels = explorer.locator("canvas").evaluate(
            "(c, [x, y]) => [...c.getContext('2d').getImageData(x - 20, y - 20, 40, 40).data]", [x, y]
        )
        orange = np.abs(np.reshape(pixels, (-1, 4))[:, :3] - [0xD5, 0x5E, 0x00]).max(axis=1) < 25
        return bool(orange.sum() > 20)

    assert not ring(20) and not ring(27)
    line = explorer.get_by_placeholder("words to look for")
    line.fill("lights")
    line.press("Enter")
    expect(explorer.locator(".status")).to_have_text(
        "Hits for 'lights': 3 of 29 segments light up.", timeout=PATIENCE
    )
    expect(explorer.locator(".tile").first).to_have_attribute("data-row", "20")
    assert ring(20) and ring(3) and ring(27)
    explorer.get_by_role("button", name="Clear hits").click()
    expect(explorer.get_by_role("button", name="Clear hits")).to_have_count(0)
    explorer.page.wait_for_timeout(100)
    assert not ring(20)


def test_hits_stay_beside_the_neighbours_and_what_is_similar_is_found(explorer: Locator) -> None:
    line = explorer.get_by_placeholder("words to look for")
    line.fill("lights")
    line.press("Enter")
    expect(explorer.locator(".strip h4")).to_contain_text("Hits for 'lights'", timeout=PATIENCE)
    click(explorer, 7)
    expect(explorer.locator(".strip h4")).to_contain_text("Nearest by visual", timeout=PATIENCE)
    explorer.get_by_role("button", name="Back to 3 hits").click()
    expect(explorer.locator(".tile").first).to_have_attribute("data-row", "20")
    explorer.locator(".tile").nth(1).click()
    expect(explorer.locator("figcaption")).to_contain_text("2:18-2:24", timeout=PATIENCE)
    expect(explorer.locator(".strip h4")).to_contain_text("Hits for 'lights'")
    explorer.get_by_role("button", name="Similar to this").click()
    expect(explorer.locator(".strip h4")).to_contain_text("Similar to the rabbit", timeout=PATIENCE)
    best, _ = nearest_rows(MATRIX, 3, among=np.ones(len(CLIPS), dtype=bool))[0]
    expect(explorer.locator(".tile").first).to_have_attribute("data-row", str(best))
    explorer.get_by_role("button", name="Clear hits").click()
    expect(explorer.get_by_role("button", name="Clear hits")).to_have_count(0)


def test_the_grid_sorts_plays_selects_and_takes_tags_that_can_be_undone(
    explorer: Locator, tree: Path
) -> None:
    page = explorer.page
    explorer.locator("canvas").focus()
    page.keyboard.press("g")  # hides what has the focus, which Chromium takes from it a frame later
    expect(explorer.locator("canvas")).to_be_hidden()
    page.wait_for_timeout(100)
    page.keyboard.press("m")
    expect(explorer.locator("canvas")).to_be_visible()
    page.keyboard.press("g")
    gallery = explorer.locator(".gallery")
    expect(gallery.locator(".tile").first).to_be_visible()
    expect(explorer.locator("canvas")).to_be_hidden()
    gallery.locator("select").select_option("distance to the medoid")
    middles = medoids(MATRIX, kmeans_clusters(MATRIX, 3)).values()
    expect(gallery.locator(".tile").first).to_have_attribute(
        "data-row", re.compile(f"^({'|'.join(map(str, middles))})$"), timeout=PATIENCE
    )
    gallery.locator("select").select_option("title")
    order = [*range(CAT, CAT + 2), *range(GONE, GONE + 3), *range(CAT)]
    shown = [int(str(tile.get_attribute("data-row"))) for tile in gallery.locator(".tile").all()]
    assert shown == order[: len(shown)] and len(shown) < len(CLIPS), "only what is seen is on the page"
    gallery.locator(".tile").nth(6).click()
    stands_at(explorer.locator("video"), CLIPS["start_offset_sec"][order[6]])
    gallery.locator(".tile").nth(5).click(modifiers=["Control"])
    gallery.locator(".tile").nth(7).click(modifiers=["Shift"])
    expect(explorer.locator(".list h4")).to_contain_text("Selection: 3 segments")
    assert listed(explorer) == [f"s{row:02d}" for row in order[5:8]]

    line = explorer.get_by_placeholder("a tag for the selection")
    line.fill("to check")
    explorer.get_by_role("button", name="Tag", exact=True).click()
    expect(explorer.locator(".tag")).to_contain_text("to check (3)", timeout=PATIENCE)
    expect(line).to_have_value("")
    expect(explorer.locator("tbody tr").first).to_contain_text("to check")
    gallery.locator(".tile").nth(5).focus()
    page.keyboard.press("z")
    expect(explorer.locator(".tag")).to_have_count(0, timeout=PATIENCE)
    page.keyboard.press("Z")
    expect(explorer.locator(".tag")).to_contain_text("to check (3)", timeout=PATIENCE)
    explorer.locator(".tag .remove").click()
    expect(explorer.locator(".tag")).to_have_count(0, timeout=PATIENCE)
    assert set(read_labels(tree / "notebooks" / "labels.parquet")["tags"]) == {""}
    gallery.locator(".tile").first.focus()
    page.keyboard.press("m")
    expect(explorer.locator("canvas")).to_be_visible()


def test_a_column_gives_the_colours_and_the_legend_hides_and_adds(explorer: Locator) -> None:
    explorer.get_by_label("colour").select_option("title")
    expect(explorer.locator(".entry").first).to_contain_text("the rabbit (24)", timeout=PATIENCE)
    explorer.get_by_role("button", name="hide the rabbit").click()
    expect(explorer.locator(".count")).to_have_text("5 of 29 segments", timeout=PATIENCE)
    moved = explorer.locator(".entry", has_text="a film that has moved")
    moved.click()
    expect(explorer.locator(".list h4")).to_contain_text("Selection: 3 segments")
    explorer.locator(".entry", has_text=HOSTILE).click(modifiers=["Shift"])
    expect(explorer.locator(".list h4")).to_contain_text("Selection: 5 segments")
    explorer.get_by_role("button", name="Show all").click()
    expect(explorer.locator(".count")).to_have_text("29 segments", timeout=PATIENCE)
    explorer.get_by_label("colour").select_option("cluster")
    expect(explorer.locator(".entry").first).to_contain_text("cluster 0", timeout=PATIENCE)


def test_a_film_that_has_moved_says_relink(explorer: Locator) -> None:
    click(explorer, GONE)
    expect(explorer.locator(".screen [role=alert]")).to_contain_text("relink", timeout=PATIENCE)
    expect(explorer.locator("video")).to_be_hidden()
    expect(explorer.locator("figcaption")).to_contain_text("a film that has moved")
    click(explorer, 7)
    expect(explorer.locator("video")).to_be_visible()


def test_a_hostile_title_is_words_everywhere(explorer: Locator) -> None:
    at, _ = places(explorer)
    explorer.page.mouse.move(at[CAT][0] + 4, at[CAT][1] + 4)
    explorer.page.mouse.move(*at[CAT])
    tip = explorer.locator(".tip")
    expect(tip.locator("b")).to_have_text(HOSTILE)
    expect(tip).to_contain_text("0:00-0:06 · cluster")
    tip.locator("img[src^='data:image/jpeg']").wait_for()
    click(explorer, CAT)
    expect(explorer.locator("figcaption b")).to_have_text(f"{HOSTILE}, 0:00-0:06", timeout=PATIENCE)
    draw(explorer, "Box", [(0.001, 0.001), (0.999, 0.999)])
    expect(explorer.locator("tbody tr", has_text=HOSTILE)).to_have_count(2)
    explorer.locator(".entry").first.click()
    name = explorer.get_by_placeholder("a name for cluster 0")
    name.fill(HOSTILE)
    explorer.get_by_role("button", name="Name cluster 0").click()
    expect(explorer.locator(".entry").first).to_contain_text(HOSTILE, timeout=PATIENCE)
    explorer.get_by_label("show").select_option(HOSTILE)
    expect(explorer.locator(".count")).to_have_text("2 of 29 segments")
    explorer.get_by_label("show").select_option("all films")
    expect(explorer.locator(".count")).to_have_text("29 segments")
    assert explorer.page.evaluate("window.hacked") is None
    assert explorer.page.locator("img[src=x]").count() == 0


def test_a_fast_mouse_asks_for_one_still_at_a_time(explorer: Locator) -> None:
    at, _ = places(explorer)
    for _ in range(3):
        for x, y in at:
            explorer.page.mouse.move(x, y)
    click(explorer, 5)  # its neighbours want eight stills at once
    expect(explorer.locator(".strip .tile")).to_have_count(8, timeout=PATIENCE)
    expect(explorer.locator(".strip .blank:empty")).to_have_count(0, timeout=PATIENCE)
    expect(explorer.locator(".tip img")).to_be_visible()
    assert 8 <= STILLS.count(1) <= len(CLIPS), "none is asked for twice"
    assert set(np.cumsum(STILLS)) == {0, 1}


def test_a_name_is_kept_on_disk_and_follows_its_cluster(explorer: Locator, tree: Path) -> None:
    explorer.locator(".entry").nth(1).click()
    name = explorer.get_by_placeholder("a name for cluster 1")
    name.fill("meadows")
    name.press("Enter")
    expect(explorer.locator(".entry").nth(1)).to_contain_text("1 meadows", timeout=PATIENCE)
    stored = read_labels(tree / "notebooks" / "labels.parquet")
    members = CLIPS["segment_id"][kmeans_clusters(MATRIX, 3) == 1].tolist()
    assert sorted(stored["segment_id"][stored["name"] == "meadows"]) == members
    explorer.get_by_label("method").select_option("HDBSCAN")
    expect(explorer.locator(".status")).to_contain_text("as noise", timeout=PATIENCE)
    explorer.get_by_label("method").select_option("k-means")
    expect(explorer.locator(".status")).to_have_text("29 segments in 3 clusters.", timeout=PATIENCE)
    expect(explorer.locator(".entry").nth(1)).to_contain_text("1 meadows")
    _, clusters = seen_by_the_next_cell(explorer.page)
    assert list(clusters.values()) == kmeans_clusters(MATRIX, 3).tolist()


def test_a_long_name_is_short_on_the_map_and_names_do_not_cover_each_other(explorer: Locator) -> None:
    explorer.locator(".entry").nth(2).click()
    line = explorer.get_by_placeholder("a name for cluster 2")
    line.fill("very long " * 30)
    line.press("Enter")
    expect(explorer.locator(".entry").nth(2)).to_contain_text("2 very long very", timeout=PATIENCE)
    assert "very long very long very lo…" in written(explorer)
    plot = explorer.locator(".plot")
    plot.evaluate("p => p.style.height = '60px'")  # a map so small that all clusters are in one place
    explorer.page.wait_for_timeout(200)
    at = [y for text, (_, y) in written(explorer).items()]
    assert len(at) == 3 and min(abs(a - b) for i, a in enumerate(at) for b in at[:i]) >= 14
    plot.evaluate("p => p.style.height = ''")
    line.fill("")
    line.press("Enter")
    expect(explorer.locator(".entry").nth(2)).to_contain_text("cluster 2", timeout=PATIENCE)


def test_a_selection_moves_to_a_new_cluster_and_back(explorer: Locator) -> None:
    draw(explorer, "Box", [(0.001, 0.001), (0.5, 0.999)])
    rows = [CLIPS["segment_id"].tolist().index(key) for key in listed(explorer)]
    explorer.get_by_label("to", exact=True).select_option("a new cluster")
    explorer.get_by_role("button", name="Move selection").click()
    expect(explorer.locator(".status")).to_contain_text(
        f"{len(rows)} segments moved into a new cluster", timeout=PATIENCE
    )
    expect(explorer.locator(".entry", has_text=f"cluster 3 ({len(rows)})")).to_have_count(1)
    expect(explorer.locator("tbody tr").first).to_contain_text("cluster 3, moved here")
    clusters = list(seen_by_the_next_cell(explorer.page)[1].values())
    assert [row for row in range(len(CLIPS)) if clusters[row] == 3] == rows
    explorer.get_by_role("button", name="Undo").click()
    expect(explorer.locator(".status")).to_contain_text("Undone: the move into a new", timeout=PATIENCE)
    expect(explorer.locator(".entry", has_text="cluster 3")).to_have_count(0)
    explorer.get_by_role("button", name="Clear", exact=True).click()


@pytest.mark.parametrize("width", [900, 1200])
def test_the_slider_for_clusters_is_for_mouse_and_keys(explorer: Locator, width: int) -> None:
    page = explorer.page
    page.set_viewport_size({"width": width, "height": 1000})
    track, handle = explorer.locator(".noUi-target").first, explorer.locator(".noUi-handle").first
    expect(track).to_be_visible()
    wait_until(track, "v.clientWidth >= 90")  # three pixels for each number of clusters
    track.evaluate("t => t.scrollIntoView({ block: 'center' })")
    box = track.bounding_box()
    assert box
    page.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + box["height"] / 2)
    expect(explorer.locator(".entry")).to_have_count(9, timeout=PATIENCE)  # of 2 to 30
    handle.focus()
    page.keyboard.press("ArrowLeft")
    expect(explorer.locator(".entry")).to_have_count(8, timeout=PATIENCE)
    readout = explorer.locator(".widget-readout").first
    readout.fill("3")
    readout.press("Enter")
    expect(explorer.locator(".entry")).to_have_count(3, timeout=PATIENCE)
    page.set_viewport_size({"width": 1400, "height": 1000})
    page.locator(".explorer canvas").evaluate("c => c.scrollIntoView({ block: 'center' })")


def test_a_film_alone_leaves_only_its_clusters_to_click(explorer: Locator) -> None:
    explorer.get_by_label("show").select_option(HOSTILE)  # its two clips are in two clusters
    expect(explorer.locator(".count")).to_have_text("2 of 29 segments")
    expect(explorer.locator(".entry:disabled")).to_have_count(1)
    explorer.get_by_label("show").select_option("all films")
    expect(explorer.locator(".entry:disabled")).to_have_count(0)


def test_the_export_says_where_it_is(explorer: Locator, tree: Path) -> None:
    explorer.get_by_role("button", name="Export").click()
    expect(explorer.locator(".status")).to_contain_text("Nothing is selected", timeout=PATIENCE)
    draw(explorer, "Box", [(0.4, 0.3), (0.999, 0.999)])
    ids = listed(explorer)
    explorer.get_by_role("button", name="Export").click()
    expect(explorer.locator(".status")).to_contain_text("selection.csv", timeout=PATIENCE)
    assert pd.read_csv(tree / "notebooks" / "out" / "selection.csv")["segment_id"].tolist() == ids


def test_everybody_can_use_the_explorer(explorer: Locator) -> None:
    click(explorer, 7)
    expect(explorer.locator(".strip h4")).to_contain_text("Nearest by visual", timeout=PATIENCE)
    # ipywidgets gives the handle of its sliders no name: the label stands beside it.
    assert barriers(explorer.page, inside=".jp-OutputArea-output", without=".noUi-handle") == []


def test_the_map_moves_and_zooms_without_the_kernel(explorer: Locator) -> None:
    at, box = places(explorer)
    mouse = explorer.page.mouse
    mouse.move(box["x"] + 5, box["y"] + 5)
    mouse.down()
    mouse.move(box["x"] + 65, box["y"] + 25, steps=4)
    mouse.up()
    mouse.click(at[16][0] + 60, at[16][1] + 20)
    stands_at(explorer.locator("video"), CLIPS["start_offset_sec"][16])
    explorer.get_by_role("button", name="Whole map").click()
    explorer.locator("canvas").focus()
    explorer.page.keyboard.press("+")
    at, box = places(explorer)
    middle = np.array([box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])
    row = int(np.hypot(*(at[:CAT] - middle).T).argmin())
    mouse.click(*(middle + 1.3 * (at[row] - middle)))
    stands_at(explorer.locator("video"), CLIPS["start_offset_sec"][row])


def test_nothing_left_this_machine_and_nothing_went_wrong_on_the_page(whole: Page) -> None:
    assert len(REQUESTS) > 20, "the log sees requests"
    asked = [url for url in REQUESTS if not url.startswith(("data:", "blob:"))]
    assert {urllib.parse.urlsplit(url).hostname for url in asked} <= {"localhost", "127.0.0.1"}
    assert ERRORS == []
