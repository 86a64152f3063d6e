"""tools/record.py against the practice server: real answers in a folder of their own."""

import json
from pathlib import Path

import pandas as pd
import pytest

from helpers.settings import ROOT
from helpers.standin.practice import PracticeServer
from helpers.videos.samples import sample_videos
from tools import record


@pytest.mark.slow
def test_it_records_what_the_service_says(
    practice: PracticeServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    short = sample_videos().query("duration_sec < 20")
    monkeypatch.setattr(record, "sample_videos", lambda: short)
    assert record.record(tmp_path, sure=True) == 0
    folder = tmp_path / "marengo3.5"
    segments, queries = (pd.read_parquet(folder / f"{name}.parquet") for name in ("segments", "queries"))
    assert set(segments["video_id"]) == set(short["video_id"]) and set(segments["model"]) == {"marengo3.5"}
    asked = [line for line in (ROOT / "data" / "queries.txt").read_text("utf-8").splitlines() if line]
    assert queries["query"].tolist() == asked and {len(v) for v in queries["embedding"]} == {512}
    assert json.loads((folder / "manifest.json").read_text())["segments"] == len(segments)
    before = len(practice.seen)
    assert record.record(tmp_path, sure=True) == 0 and len(practice.seen) == before
    assert "short queries" in capsys.readouterr().out


def test_without_a_key_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert record.record(tmp_path, sure=True) == 2
    assert "set TWELVE_LABS_API_KEY" in capsys.readouterr().out and not list(tmp_path.iterdir())


def test_nothing_is_asked_before_a_yes(
    practice: PracticeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("builtins.input", lambda _: "")
    assert record.record(tmp_path, sure=False) == 1
    assert practice.seen == [] and not list(tmp_path.iterdir())
