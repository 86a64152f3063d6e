"""own.py and listing.py: files, folders, addresses, lists of them, and a CSV that may not leave its folder."""

import math
import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from helpers.errors import VideoError, VideoSearchWarning
from helpers.settings import ROOT
from helpers.videos.own import list_sources, own_videos, read_videos
from helpers.videos.samples import COLUMNS, sample_videos
from tests.make_media import film, locked_folder, write

CAT = ROOT / "data" / "videos" / "cat.mp4"
ADDRESS = "https://anna:geheim@films.example.org/a/My%20trip.mp4?sig=s3cret&x=1#t=3"


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("film") / "one.mp4")


@pytest.fixture
def folder(tmp_path: Path, one: Path) -> Path:
    """A folder `mine` with two films of different content, and a film outside of it."""
    (tmp_path / "mine").mkdir()
    shutil.copy(one, tmp_path / "mine" / "a.mp4")
    write(tmp_path / "mine" / "b.mp4", one.read_bytes() + b"\0")
    write(tmp_path / "outside.mp4", one.read_bytes() + b"\0\0")
    return tmp_path / "mine"


def listed(folder: Path, text: str | bytes, name: str = "list.csv") -> Path:
    return write(folder / name, text if isinstance(text, bytes) else text.encode())


# files, folders and lists


def test_columns_and_types_are_those_of_the_samples(folder: Path) -> None:
    table, samples = own_videos(folder), sample_videos()
    assert tuple(table) == tuple(samples) == COLUMNS
    assert table.dtypes.equals(samples.dtypes)
    assert table["title"].tolist() == ["a", "b"]
    assert set(table["category"]) == {"own"} and set(table["recorded_at"]) == {""}
    assert table.loc[0, ["duration_sec", "width", "height", "has_audio"]].tolist() == [1.0, 64, 48, False]


def test_a_renamed_copy_is_the_same_video(tmp_path: Path) -> None:
    copy = tmp_path / "holiday.mp4"
    shutil.copy(CAT, copy)
    original, renamed = own_videos(CAT), own_videos(copy)
    assert renamed["video_id"].tolist() == original["video_id"].tolist()
    assert renamed["title"].tolist() == original["title"].tolist()


def test_the_same_content_under_two_names_counts_once_and_is_said(folder: Path) -> None:
    shutil.copy(folder / "a.mp4", folder / "copy.mp4")
    with pytest.warns(VideoSearchWarning, match=r"copy.mp4 has the same content as a.mp4: it counts once"):
        assert own_videos(folder)["title"].tolist() == ["a", "b"]


def test_videos_in_folders_inside_are_left_out_and_said(folder: Path) -> None:
    for inside in ("Ferien 2024", "Ferien 2024/day 2", ".hidden"):
        (folder / inside).mkdir()
        shutil.copy(folder.parent / "outside.mp4", folder / inside / "c.mp4")
    with pytest.warns(VideoSearchWarning) as caught:
        assert own_videos(folder)["title"].tolist() == ["a", "b"]
    said = "2 videos are in folders inside this one (Ferien 2024, day 2), and left out: "
    assert [str(w.message).startswith(said) for w in caught] == [True]
    named = [folder, folder / "Ferien 2024", folder / "Ferien 2024" / "day 2" / "c.mp4"]
    with pytest.warns(VideoSearchWarning, match="same content") as caught:
        assert own_videos(named)["title"].tolist() == ["a", "b", "c"]
    assert len(caught) == 1


def test_the_same_file_named_twice_is_no_matter(folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(own_videos(folder, folder / "a.mp4", str(folder / ".." / "mine" / "a.mp4"))) == 2


def test_an_own_file_keeps_its_id_under_another_name(tmp_path: Path, one: Path) -> None:
    first = write(tmp_path / "Größe #1?.mp4", one.read_bytes())
    second = write(tmp_path / "renamed.MP4", one.read_bytes())
    assert own_videos(first)["video_id"].tolist() == own_videos(second)["video_id"].tolist()
    assert own_videos(first)["title"].tolist() == ["Größe #1?"]


def test_one_changed_byte_makes_another_video(tmp_path: Path) -> None:
    other = write(tmp_path / "cat.mp4", CAT.read_bytes() + b"\0")
    assert own_videos(other)["video_id"][0] != own_videos(CAT)["video_id"][0]
    assert own_videos(other)["category"][0] == "own"


def test_a_folder_gives_its_videos_and_nothing_else(folder: Path) -> None:
    (folder / "notes.txt").write_text("not a video")
    (folder / "._a.mp4").write_text("what macOS leaves")
    (folder / "x.mp4").mkdir()
    assert own_videos(folder)["title"].tolist() == ["a", "b"]


@pytest.mark.parametrize("ending", [".ts", ".MTS", ".m2ts", ".wmv", ".flv", ".3gp", ".mxf", ".vob"])
def test_what_cameras_and_recorders_write_is_a_video(tmp_path: Path, one: Path, ending: str) -> None:
    shutil.copy(one, tmp_path / f"a{ending}")
    assert own_videos(tmp_path)["title"].tolist() == ["a"]


def test_what_is_odd_in_a_folder_costs_only_itself(folder: Path) -> None:
    write(folder / "page.mp4", b"<html>not found</html>")
    (folder / "gone.mp4").symlink_to(folder / "nowhere.mp4")
    (folder / "loop.mp4").symlink_to(folder / "loop.mp4")
    os.mkfifo(folder / "pipe.mp4")
    _odd_name(folder)
    with pytest.warns(VideoSearchWarning, match="It is left out") as caught:
        assert own_videos(folder)["title"].tolist() == ["a", "b"]
    said = sorted(str(w.message) for w in caught)
    for words in (
        "page.mp4 holds text",
        "gone.mp4 is a link",
        "loop.mp4 cannot",
        "pipe.mp4 is no",
        "caf?.mp4",
    ):
        assert sum(words in line and line.endswith("It is left out.") for line in said) == 1, words
    assert len(said) == 5


@pytest.mark.parametrize(
    "title",
    [
        "\U0001f469\u200d\U0001f469\u200d\U0001f467 family",  # joined by ZWJ
        "\u05e9\u05dc\u05d5\u05dd\u200f 2",  # with a right-to-left mark
        "a\u0301 combining, \u0928\u093f",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f flag of tags",
        "\U0001fadf younger than Python",
        "\uf8ff private",
        "soft\u00adhyphen, word\u2060joiner",
    ],
)
def test_titles_keep_every_letter(folder: Path, title: str, one: Path) -> None:
    path = write(folder / f"{title}.mp4", one.read_bytes() + b"\0\0\0\x08free")
    assert own_videos(path)["title"].tolist() == [title]
    assert own_videos(listed(folder, f'path,title\na.mp4,"{title}"\n'))["title"].tolist() == [title]


def test_names_are_one_however_their_letters_are_composed(folder: Path, one: Path) -> None:
    write(folder / "Ame\u0301lie.mp4", one.read_bytes() + b"\0\0\0\x08free")  # as macOS writes it
    composed = "Am\u00e9lie.mp4"
    assert len(own_videos(folder / composed)) == 1
    assert len(own_videos(listed(folder, f"path\n{composed}\n"))) == 1
    with pytest.raises(VideoError, match="line 3: the same video as line 2"):
        own_videos(listed(folder, f"path\n{composed}\nAme\u0301lie.mp4\n"))


def test_a_list_is_read_past_a_line_with_a_fault(folder: Path) -> None:
    path = listed(folder, "path,title\na.mp4,A\nx\x07y.mp4,B\nb.mp4,C\ngone.mp4,D\n")
    table, problems = read_videos(list_sources(path))
    assert table["title"].tolist() == ["A", "C"]
    assert [listed.title for listed, _ in problems] == ["B", "D"]
    assert problems[0][1].startswith("list.csv, line 3: the path") and "line 5: There is no" in problems[1][1]


def test_lists_within_lists_keep_their_order(folder: Path) -> None:
    table = own_videos([folder / "b.mp4", [str(folder / "a.mp4"), CAT]], iter([ADDRESS]))
    assert table["title"].tolist() == ["b", "a", "Chelsea the cat", "My trip"]


# addresses


def test_an_address_is_a_row_of_unknowns() -> None:
    row = own_videos(ADDRESS).iloc[0]
    assert row["video_id"].startswith("url-") and len(row["video_id"]) == 14
    assert row["video_url"] == ADDRESS
    assert math.isnan(row["duration_sec"]) and row["has_audio"] is pd.NA
    assert (row["width"], row["height"]) == (0, 0)
    assert own_videos(ADDRESS)["video_id"][0] == row["video_id"] != own_videos(ADDRESS + "2")["video_id"][0]


@pytest.mark.parametrize(
    ("address", "title"),
    [
        (ADDRESS, "My trip"),
        ("https://anna:geheim@films.example.org/?token=s3cret", "films.example.org"),
        ("HTTPS://films.example.org", "films.example.org"),
        ("https://films.example.org/a%0Ab%1B.mp4", "a?b?"),
    ],
)
def test_no_title_shows_a_password_or_a_query(address: str, title: str) -> None:
    assert own_videos(address)["title"].tolist() == [title]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("https://", "is not complete"),
        ("https://anna:geheim@/x.mp4", "is not complete"),
        ("https://[anna:geheim/x.mp4", "is not complete"),
        ("https://films.example.org:geheim/x.mp4", "is not complete"),
        ("https://films.example.org/geheim x.mp4", "is not complete"),
        ("https://films.example.org/?geheim=" + "x" * 5000, "over 4000 bytes"),
        ("s3://geheim/x.mp4", "begins with s3:// cannot be fetched"),
    ],
)
def test_an_address_that_cannot_be_fetched(address: str, words: str) -> None:
    with pytest.raises(VideoError, match=words) as caught:
        own_videos(address)
    assert "geheim" not in str(caught.value)


# what is named wrongly


def _odd_name(folder: Path) -> str:
    name = os.fsdecode(os.fsencode(folder) + b"/caf\xe9.mp4")
    try:
        shutil.copy(folder / "a.mp4", name)
    except OSError:
        pytest.skip("this file system takes names in UTF-8 only")
    return name


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: [], "no video to work on"),
        (lambda p: "  ", "A path is empty"),
        (lambda p: 7, "int is not a source of videos"),
        (lambda p: sample_videos(), "DataFrame is not a source of videos"),
        (lambda p: p / "missing.mp4", r"no video file at .*missing\.mp4"),
        (lambda p: write(p / "text.mp4", b"hello"), "text.mp4 holds text"),
        (lambda p: (p / "empty").mkdir() or p / "empty", r"/empty holds no video \(\.mp4, "),
        (lambda p: (p / "x.mp4").mkdir() or p / "x.mp4", r"/x.mp4 holds no video"),
        (_odd_name, r"The name of caf\?.mp4 is not in UTF-8"),
        (lambda p: "no/such/list.csv", "no list to read at no/such/list.csv"),
    ],
)
def test_sources_that_cannot_be_used(folder: Path, make: Callable[[Path], Any], words: str) -> None:
    with pytest.raises(VideoError, match=words) as caught:
        own_videos(make(folder))
    assert "\n" not in str(caught.value)


def test_a_folder_that_may_not_be_read() -> None:
    with locked_folder() as folder, pytest.raises(VideoError, match=r"folder .*locked may not be read"):
        own_videos(folder)


# a CSV


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("sign", [",", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["unix", "windows"])
def test_a_list_in_csv(folder: Path, mark: str, sign: str, end: str) -> None:
    lines = [
        ["Path", "title", "category", "recorded_at"],
        ["b.mp4", f'"Bär{sign} brown"', "zoo", "2024-02-29"],
        [],
        ["./a.mp4", "", "", ""],
        [ADDRESS, "Trip", "web", ""],
        ["", "", "", ""],
    ]
    table = own_videos(listed(folder, mark + end.join(map(sign.join, lines))))
    assert table["title"].tolist() == [f"Bär{sign} brown", "a", "Trip"]
    assert table["category"].tolist() == ["zoo", "own", "web"]
    assert table["recorded_at"].tolist() == ["2024-02-29", "", ""]


def test_titles_are_one_line(folder: Path) -> None:
    shutil.copy(folder / "a.mp4", folder / "new\nline.mp4")
    assert own_videos(folder / "new\nline.mp4")["title"].tolist() == ["new?line"]
    table = own_videos(listed(folder, 'path,title\na.mp4,"two\n lines\x1b[31m"\n'))
    assert table["title"].tolist() == ["two lines?[31m"]


def test_columns_may_be_missing_and_in_any_order(folder: Path) -> None:
    assert own_videos(listed(folder, "path\na.mp4\n"))["title"].tolist() == ["a"]
    table = own_videos(listed(folder, "category,path\nzoo,a.mp4\n,b.mp4\n"))
    assert table["category"].tolist() == ["zoo", "own"]


def test_a_sample_keeps_its_own_words(folder: Path) -> None:
    shutil.copy(CAT, folder / "holiday.mp4")
    row = own_videos(listed(folder, "path,title,category\nholiday.mp4,Mine,zoo\n")).iloc[0]
    assert (row["title"], row["category"]) == ("Chelsea the cat", "animals")


BAD_LISTS = [
    (b"", "list.csv is empty"),
    (b"\xef\xbb\xbf\r\n", "list.csv is empty"),
    (b"path,title\n", "names columns but no video"),
    (b"title,category\nA,zoo\n", "line 1: the column path is missing"),
    (b"path,tags\na.mp4,x\n", "line 1: the column 'tags' is unknown"),
    (b"path,path\na.mp4,b.mp4\n", "line 1: the column path is there twice"),
    (b"path,title\na.mp4,A\nb.mp4,B\xe4r\n", "line 3: not in UTF-8"),
    ("path\na.mp4\n".encode("utf-16"), "line 1: not in UTF-8"),
    (b'path,title\na.mp4,"open\n', "line 2: not to be read as CSV"),
    (b"path,title\na.mp4,one, two\n", "line 2: 3 cells for 2 columns"),
    (b"path,title\n\n,A\n", "line 3: the path is empty"),
    (b"path\na\0.mp4\n", "line 2: (the path .* control character|not to be read)"),
    (b"path,recorded_at\na.mp4,29.02.2024\n", "line 2: recorded_at is '29.02.2024'"),
    (b"path,recorded_at\na.mp4,2023-02-29\n", "line 2: recorded_at is '2023-02-29'"),
    (b"path,recorded_at\na.mp4,2023-W01-1\n", "line 2: recorded_at is '2023-W01-1'"),
    (b"path,recorded_at\na.mp4,20230101\n", "line 2: recorded_at is '20230101'"),
    (b"path\na.mp4\nb.mp4\n./a.mp4\n", "line 4: the same video as line 2"),
    (b"path\nhttp://x.org/a.mp4\nhttp://x.org/a.mp4\n", "line 3: the same video as line 2"),
    (b'path,title\na.mp4,"two\nlines"\ngone.mp4,x\n', "line 4: There is no video file at"),
    (b"path\n.\n", r"line 2: \. is a folder"),
    (b"path\nlist.csv\n", "line 2: list.csv holds text"),
    (b"path\nhttps://\n", "line 2: An address .* is not complete"),
    (b"path\nfile:///etc/passwd\n", "line 2: An address that begins with file:// cannot"),
    (b"path,title\na.mp4," + b"x" * 1001, "line 2: the title has over 1000 bytes"),
    (b"path\nloop.mp4\n", "line 2: "),
]


@pytest.mark.parametrize(("data", "words"), BAD_LISTS, ids=[words[:40] for _, words in BAD_LISTS])
def test_a_list_with_a_fault(folder: Path, data: bytes, words: str) -> None:
    (folder / "loop.mp4").symlink_to(folder / "loop.mp4")
    with pytest.raises(VideoError, match=words) as caught:
        own_videos(listed(folder, data))
    assert str(caught.value).startswith("list.csv") and "\n" not in str(caught.value)


def _link_out(folder: Path) -> str:
    (folder / "link.mp4").symlink_to(folder.parent / "outside.mp4")
    return "link.mp4"


def _link_folder(folder: Path) -> str:
    (folder / "sub").symlink_to(folder.parent)
    return "sub/outside.mp4"


@pytest.mark.parametrize(
    "leave",
    [
        lambda p: "../outside.mp4",
        lambda p: "sub/../../outside.mp4",
        lambda p: str(p.parent / "outside.mp4"),
        _link_out,
        _link_folder,
    ],
    ids=["dots", "dots below", "absolute", "link", "link to a folder"],
)
def test_a_list_does_not_leave_its_folder(folder: Path, leave: Callable[[Path], str]) -> None:
    path = listed(folder, f"path\na.mp4\n{leave(folder)}\n")
    with pytest.raises(VideoError, match=r"list.csv, line 3: \S+ leaves the folder of list.csv"):
        own_videos(path)
    assert len(own_videos(path, root=folder.parent)) == 2
    (folder.parent / "other").mkdir()
    with pytest.raises(VideoError, match="leaves the folder"):
        own_videos(path, root=folder.parent / "other")


@pytest.mark.parametrize("cell", ["../secret.mp4", "/no/such/secret.mp4", "~/../../x.mp4", "../mine2/a.mp4"])
def test_what_lies_outside_is_not_even_looked_for(folder: Path, cell: str) -> None:
    with pytest.raises(VideoError, match="leaves the folder"):
        own_videos(listed(folder, f"path\n{cell}\n"))


def test_home_is_not_expanded_in_a_list(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    with pytest.raises(VideoError, match=r"no video file at .*/~/a\.mp4"):
        own_videos(listed(folder, "path\n~/a.mp4\n"))


def test_an_absolute_path_inside_the_folder_is_fine(folder: Path) -> None:
    assert len(own_videos(listed(folder, f"path\n{folder / 'a.mp4'}\n"))) == 1


def test_root_has_to_be_a_folder(folder: Path) -> None:
    with pytest.raises(VideoError, match=r"root='.*nowhere' is no folder"):
        list_sources(listed(folder, "path\na.mp4\n"), root=folder / "nowhere")
