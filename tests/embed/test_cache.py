"""cache.py: what is kept comes back, and a killed or damaged write is a miss."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.embed.cache import Cache
from helpers.files import cache_key

TABLE = pd.DataFrame({"start": [0.0, 6.0], "embedding": [np.float32([1, 2]), np.float32([3, 4])]})


def test_what_is_kept_comes_back_to_the_bit(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put("ab12", TABLE)
    back = Cache(tmp_path).get("ab12")
    assert back is not None
    assert np.array_equal(np.stack(back["embedding"]), np.stack(TABLE["embedding"]))
    assert back["embedding"][0].dtype == np.float32
    assert len(list(tmp_path.glob("*/*.parquet"))) == 1


def test_unknown_and_damaged_are_misses(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    assert cache.get("ab12") is None
    cache.put("ab12", TABLE)
    next(tmp_path.glob("*/*.parquet")).write_bytes(b"PAR1 cut off")
    assert cache.get("ab12") is None
    cache.put("ab12", TABLE)
    assert cache.get("ab12") is not None


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    with pytest.raises(Exception, match="object"):
        cache.put("ab12", pd.DataFrame({"bad": [object()]}))
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []
    assert cache.get("ab12") is None


def test_a_folder_that_cannot_be_written_costs_no_answer(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file" / "cache")
    with pytest.warns(UserWarning, match="could not be kept"):
        cache.put("ab12", TABLE)


def test_keys_depend_on_every_part_and_not_on_order() -> None:
    assert cache_key(a=1, b="x") == cache_key(b="x", a=1)
    assert len({cache_key(a=1), cache_key(a=2), cache_key(a="1"), cache_key(b=1)}) == 4
