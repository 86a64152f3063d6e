"""A collection out to Parquet and back: from Milvus Lite to a real server, and out of it again."""

import pytest
from pyarrow import parquet

from helpers.store import client as store_client
from helpers.store import io as store
from helpers.store.backup import export_collection, import_collection
from tests.store.test_store import filled, make_segments, same, settings_in

pytestmark = pytest.mark.server


def test_from_a_folder_to_a_server_and_out_again(milvus, name, tmp_path):
    segments = make_segments("cat-1", n=5500, options=["visual"]).assign(
        cluster=3
    )  # more than is read at once
    settings = settings_in(tmp_path)
    folder = store_client.connect_milvus(settings)
    filled(folder, name, segments)
    files = [tmp_path / "folder.parquet", tmp_path / "server.parquet"]
    assert export_collection(folder, name, files[0]) == len(segments)
    store_client.disconnect_milvus(folder, settings)
    assert import_collection(milvus, name, files[0]) == len(segments)
    same(store.read_segments(milvus, name), segments)
    assert export_collection(milvus, name, files[1]) == len(segments)
    tables = [parquet.read_table(file).sort_by("segment_id") for file in files]
    assert tables[0].equals(tables[1])
