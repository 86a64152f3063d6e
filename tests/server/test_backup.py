"""A collection out to Parquet and back on a real server, and from Milvus Lite to it."""

import pytest

from helpers.store import client as store_client
from helpers.store import io as store
from helpers.store.backup import export_collection, import_collection
from tests.store.test_store import filled, make_segments, same, settings_in

pytestmark = pytest.mark.server


def test_out_and_back(milvus, name, tmp_path):
    segments = make_segments("cat-1", n=5500, options=["visual"]).assign(
        cluster=3
    )  # more than one read of it
    filled(milvus, name, segments)
    assert export_collection(milvus, name, tmp_path / "cat.parquet") == len(segments)
    milvus.drop_collection(name)
    assert import_collection(milvus, name, tmp_path / "cat.parquet") == len(segments)
    same(store.read_segments(milvus, name), segments)


def test_from_a_folder_to_a_server(milvus, name, tmp_path):
    segments = make_segments("cat-1", n=20, options=["visual"])
    settings = settings_in(tmp_path)
    folder = store_client.connect_milvus(settings)
    filled(folder, name, segments)
    export_collection(folder, name, tmp_path / "cat.parquet")
    store_client.disconnect_milvus(folder, settings)
    for _ in range(2):  # the second changes nothing
        assert import_collection(milvus, name, tmp_path / "cat.parquet") == len(segments)
    same(store.read_segments(milvus, name), segments)
