"""A collection out to Parquet and back: the same rows, on Milvus Lite and through `milvus-lite server`."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from helpers.errors import StoreError
from helpers.settings import load_settings
from helpers.store import backup
from helpers.store.client import connect_milvus, disconnect_milvus
from helpers.store.collection import create_collection
from helpers.store.io import count_segments, insert_segments, read_segments, update_clusters
from helpers.store.opened import open_collection
from tests.store.test_store import DIM, GOOD, filled, lacking, make_segments, same
from tests.store.test_store import milvus as milvus

pytest.importorskip("resource", reason="Windows cannot run the children of the faults")

from tools.faults.store_server import Server

CATS = lacking(make_segments("cat-1", title='Ünï "quoted" \\ film\n2', n=7), "description", [1])


def raw(milvus, name):
    """Every stored field of every row, placeholders and flags included."""
    fields = [field["name"] for field in milvus.describe_collection(name)["fields"]]
    rows = {row["segment_id"]: row for row in open_collection(milvus, name).iterate("", fields)}
    return {key: {f: np.asarray(row[f]).tolist() for f in fields} for key, row in rows.items()}


@pytest.fixture
def file(tmp_path):
    return tmp_path / "made" / "on the way" / "cats.parquet"


def test_a_collection_comes_back_as_it_was(milvus, name, file, monkeypatch):
    monkeypatch.setattr(backup, "GROUP", 3)
    monkeypatch.setattr(backup, "BATCH", 3)
    filled(milvus, name, CATS, make_segments("dog-2"), index_type="HNSW", index_params={"M": 5})
    update_clusters(milvus, name, pd.Series([4, 2], index=CATS["segment_id"][:2]))
    assert backup.export_collection(milvus, name, file) == 12
    again = f"{name}_again"
    for _ in range(2):  # the second time changes nothing
        assert backup.import_collection(milvus, again, file) == 12
        assert raw(milvus, again) == raw(milvus, name)
        assert count_segments(milvus, again) == 12
    index = milvus.describe_index(again, "embedding_description")
    assert (index["index_type"], index["params"]["M"]) == ("HNSW", 5)
    same(read_segments(milvus, again), read_segments(milvus, name))


def test_the_file_says_what_it_holds_and_any_reader_reads_it(milvus, name, file):
    filled(milvus, name, CATS)
    backup.export_collection(milvus, name, file)
    table = pd.read_parquet(file)
    assert sorted(table["segment_id"]) == sorted(CATS["segment_id"])
    assert table["has_description"].sum() == 7 and len(table["embedding_visual"][0]) == DIM
    about = parquet.read_schema(file).metadata[b"video_search"].decode()
    assert '"model": "toy-8"' in about and '"index_type": "FLAT"' in about
    assert [path.name for path in file.parent.iterdir()] == ["cats.parquet"]


def test_overlapping_clips_that_stand_together_all_come_back(milvus, name, file, monkeypatch):
    """An insert of theirs in two batches would take the second for another cut of the first."""
    monkeypatch.setattr(backup, "BATCH", 2)
    sliding = make_segments(n=6)[:-1].assign(end_offset_sec=60.0)
    filled(milvus, name, sliding)
    backup.export_collection(milvus, name, file)
    assert backup.import_collection(milvus, f"{name}_again", file) == 6
    same(read_segments(milvus, f"{name}_again"), sliding)


def test_an_empty_collection_comes_back_empty(milvus, name, file):
    create_collection(milvus, name, GOOD)
    assert backup.export_collection(milvus, name, file) == 0
    assert backup.import_collection(milvus, f"{name}_again", file) == 0
    assert open_collection(milvus, f"{name}_again").dims == {"visual": DIM, "description": DIM}


def test_rows_that_changed_meanwhile_are_put_back_and_others_stay(milvus, name, file):
    filled(milvus, name, CATS)
    backup.export_collection(milvus, name, file)
    insert_segments(milvus, name, CATS.assign(title="wrong", cluster=7))
    insert_segments(milvus, name, make_segments("dog-2"))
    backup.import_collection(milvus, name, file)
    same(read_segments(milvus, name), pd.concat([CATS, make_segments("dog-2")]))


@pytest.mark.parametrize(
    ("there", "message"),
    [
        (make_segments(model="marengo3.5"), "holds vectors of 'marengo3.5', not of 'toy-8'"),
        (make_segments(options=["visual"]), "has no option 'description'"),
        (
            make_segments(options=["visual", "description", "audio"]),
            "has the option 'audio', which the backup",
        ),
    ],
)
def test_a_collection_that_is_another_is_refused_and_stays(milvus, name, file, there, message):
    filled(milvus, f"{name}_from", CATS)
    backup.export_collection(milvus, f"{name}_from", file)
    filled(milvus, name, there)
    with pytest.raises(StoreError, match=message):
        backup.import_collection(milvus, name, file)
    same(read_segments(milvus, name), there)


def test_another_index_where_one_is_asked_for_or_there(milvus, name, file):
    filled(milvus, name, CATS)
    backup.export_collection(milvus, name, file)
    backup.import_collection(milvus, f"{name}_ivf", file, index_type="IVF_FLAT")
    assert milvus.describe_index(f"{name}_ivf", "embedding_visual")["index_type"] == "IVF_FLAT"
    assert backup.import_collection(milvus, f"{name}_ivf", file) == 8


def _damage(file):
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 0xFF
    file.write_bytes(data)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda file: file.unlink(), "is not there: check its path, and import it again"),
        (lambda file: file.write_bytes(file.read_bytes()[:-300]), "is damaged, or none: take another copy"),
        (lambda file: file.write_text("segment_id\n"), "is damaged, or none: take another copy"),
        (
            lambda file: parquet.write_table(pa.table({"a": [1]}), file),
            "is no backup of a collection: give a file",
        ),
        (
            lambda file: parquet.write_table(parquet.read_table(file).drop_columns("title"), file),
            "is no backup of a collection: give a file",
        ),
        (_damage, "is damaged, or none: take another copy"),
    ],
)
def test_a_file_that_is_no_good(milvus, name, file, spoil, message):
    filled(milvus, name, CATS)
    backup.export_collection(milvus, name, file)
    spoil(file)
    with pytest.raises(StoreError, match=message) as caught:
        backup.import_collection(milvus, f"{name}_again", file)
    assert "\n" not in str(caught.value)


def test_an_export_that_fails_leaves_the_file_that_was_there(milvus, name, file, monkeypatch):
    filled(milvus, name, CATS)
    backup.export_collection(milvus, name, file)
    before = file.read_bytes()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(parquet.ParquetWriter, "write_batch", full)
    with pytest.raises(
        StoreError, match=r"cannot be written \(No space left on device\): choose another path"
    ):
        backup.export_collection(milvus, name, file)
    assert file.read_bytes() == before and len(list(file.parent.iterdir())) == 1


@pytest.mark.slow
def test_out_of_a_folder_and_into_a_server_and_back(milvus, name, file, tmp_path):
    filled(milvus, name, CATS, make_segments("dog-2"))
    backup.export_collection(milvus, name, file)
    server = Server(tmp_path / "server")
    try:
        settings = replace(load_settings(), milvus_uri=f"http://127.0.0.1:{server.port}", prefix="")
        client = connect_milvus(settings)
        assert backup.import_collection(client, name, file) == 12
        assert raw(client, name) == raw(milvus, name)
        assert backup.export_collection(client, name, tmp_path / "back.parquet") == 12
        disconnect_milvus(client, settings)
    finally:
        server.kill()
    backup.import_collection(milvus, f"{name}_again", tmp_path / "back.parquet")
    assert raw(milvus, f"{name}_again") == raw(milvus, name)
