"""What the look leaves as it was: the order of a search by words; and answers of another model are not served."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.analysis.matrix import unit_rows
from helpers.errors import DataError
from helpers.settings import ROOT
from helpers.standin.encoder import LOOK, MODEL, WORDS
from helpers.standin.fixtures import Fixtures

FIXTURES = ROOT / "data" / "fixtures"


@pytest.fixture(scope="module")
def cached() -> tuple[pd.DataFrame, pd.DataFrame]:
    return pd.read_parquet(FIXTURES / "segments.parquet"), pd.read_parquet(FIXTURES / "queries.parquet")


def matrix(column: pd.Series) -> np.ndarray:
    return np.stack(column.to_list()).astype(np.float64)


@pytest.mark.parametrize("option", ["visual", "description"])
def test_words_order_the_clips_as_they_did_without_the_look(cached, option: str) -> None:
    segments, queries = cached
    rows = segments[(segments["option"] == option) & (segments["scope"] == "clip")]
    asked = matrix(queries.loc[~queries["source"].str.endswith(".jpg"), "embedding"])
    assert len(rows) > 140 and len(asked) > 50 and not asked[:, WORDS:].any()
    with_look = asked @ matrix(rows["embedding"]).T
    without = asked[:, :WORDS] @ unit_rows(matrix(rows["embedding"])[:, :WORDS]).T
    for now, before in zip(with_look, without, strict=True):
        order = np.argsort(-now, kind="stable")
        # Before, each clip scored as high as the next one in today's order: equal but for rounding.
        assert (np.diff(before[order]) < 1e-6).all()


def test_what_is_told_has_no_look_and_what_is_seen_has_half_of_each(cached) -> None:
    segments, _ = cached
    told, seen = (
        matrix(segments.loc[segments["option"] == o, "embedding"]) for o in ("description", "visual")
    )
    assert told.shape[1] == seen.shape[1] == WORDS + LOOK == 512
    assert not told[:, WORDS:].any()
    np.testing.assert_allclose((seen[:, WORDS:] ** 2).sum(axis=1), 0.5, atol=1e-6)


def test_answers_of_another_model_are_refused(tmp_path: Path) -> None:
    for path in FIXTURES.iterdir():
        shutil.copy(path, tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text("utf-8"))
    assert manifest["model"] == MODEL
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"model": "offline-384"}), "utf-8")
    with pytest.raises(
        DataError, match="holds vectors of 'offline-384', not of 'offline-512'.*make fixtures"
    ):
        Fixtures(tmp_path)
