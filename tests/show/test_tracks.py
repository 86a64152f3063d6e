"""The captions of a player: what is seen around a moment, from the video's description track."""

import base64
import re
from pathlib import Path

import pytest
import webvtt

from helpers.settings import ROOT
from helpers.show.tracks import captions_html

BUNNY = ROOT / "data" / "videos" / "big-buck-bunny.mp4"
WORDS = "WEBVTT\n\n00:00:01.000 --> 00:00:04.000\nA <b>cat</b> &amp; a dog\n"


def cues(track: str) -> list[tuple[str, str, str]]:
    """(start, end, words) of what the player loads."""
    found = re.search(r'src="data:text/vtt;base64,([^"]+)"', track)
    assert found
    captions = webvtt.from_string(base64.b64decode(found.group(1)).decode()).captions
    return [(caption.start, caption.end, caption.text) for caption in captions]


def test_a_sample_has_what_its_descriptions_say_around_the_moment() -> None:
    shown = cues(captions_html(BUNNY, 90.0, 96.0, shift=0.0))
    written = [
        (c.start, c.end, c.text) for c in webvtt.read(ROOT / "data" / "descriptions" / "big-buck-bunny.vtt")
    ]
    assert set(shown) < set(written)
    assert shown[0][0] < "00:01:30.000" < "00:01:36.000" < shown[-1][1]


def test_a_player_that_counts_otherwise_has_its_own_times(tmp_path: Path) -> None:
    (tmp_path / "own.vtt").write_text(WORDS, "utf-8")
    track = captions_html(tmp_path / "own.mp4", 0.0, 6.0, shift=59.5)
    assert cues(track) == [("00:01:00.500", "00:01:03.500", "A cat &amp; a dog")]
    assert 'kind="captions"' in track


@pytest.mark.parametrize("written", [None, "no track\n", WORDS.replace("00:00:0", "00:09:0")])
def test_without_words_there_are_no_captions(tmp_path: Path, written: str | None) -> None:
    if written:
        (tmp_path / "own.vtt").write_text(written, "utf-8")
    assert captions_html(tmp_path / "own.mp4", 0.0, 6.0, shift=0.0) == ""
