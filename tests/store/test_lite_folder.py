"""What a kill leaves in Milvus Lite's folder is put in order as it is opened; why one does not open is said."""

import errno
import json
import shutil
from dataclasses import replace

import pytest
from milvus_lite.adapter.grpc import server as lite_server
from pymilvus import MilvusException

from helpers import connect_milvus, count_segments, create_collection, disconnect_milvus, insert_segments
from helpers.errors import StoreError
from helpers.store.errors import milvus_errors
from helpers.store.lite import folder_path
from tools.faults.store_case import OLD, toy_settings


@pytest.fixture
def settings(tmp_path):
    """Settings of a folder with OLD in the collections "c" and "d", which nobody has open."""
    settings = toy_settings(tmp_path)
    client = connect_milvus(settings)
    for name in ("c", "d"):
        create_collection(client, name, OLD)
        insert_segments(client, name, OLD)
    disconnect_milvus(client, settings)
    return settings


def opened(settings):
    client = connect_milvus(settings)
    try:
        return {name: count_segments(client, name) for name in client.list_collections()}
    finally:
        disconnect_milvus(client, settings)


def test_a_drop_that_was_killed_is_completed(settings):
    mark = folder_path(settings) / "dropping" / "c"
    mark.parent.mkdir(exist_ok=True)
    mark.touch()
    assert opened(settings) == {"d": len(OLD)}
    assert not mark.exists() and not (folder_path(settings) / "collections" / "c").exists()


def test_a_log_whose_rows_are_safe_is_removed(settings):
    collection = folder_path(settings) / "collections" / "c"
    current = json.loads((collection / "manifest.json").read_text("utf-8"))["active_wal_number"]
    assert current > 0
    (collection / "wal").mkdir(exist_ok=True)
    left = collection / "wal" / f"wal_data_{current - 1:06d}.arrow"
    left.write_bytes(b"of a flush that was killed in its last step")
    assert opened(settings) == {"c": len(OLD), "d": len(OLD)}
    assert not left.exists()


def test_a_log_whose_rows_are_nowhere_else_stays(settings, tmp_path):
    client = connect_milvus(settings)
    client.delete("c", ids=[OLD["segment_id"][0]])  # not flushed yet
    killed = replace(settings, milvus_uri=str(tmp_path / "as after a kill.db"))
    shutil.copytree(folder_path(settings), folder_path(killed))
    disconnect_milvus(client, settings)
    assert list(folder_path(killed).glob("collections/c/wal/*.arrow"))
    assert opened(killed) == {"c": len(OLD) - 1, "d": len(OLD)}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device"),
            r"cannot be opened: the disk is full, so make room",
        ),
        (OSError(errno.EIO, "Input/output error"), r"\(Input/output error\): set MILVUS_URI to another path"),
        (json.JSONDecodeError("Expecting value", "", 0), r": move it away and insert the segments again"),
        (RuntimeError("an odd thing"), r"\(an odd thing\): restart the kernel and try again"),
    ],
)
def test_why_a_folder_does_not_open_is_one_sentence(settings, monkeypatch, error, words):
    def fails(*args, **options):
        raise error

    monkeypatch.setattr(lite_server, "start_server_in_thread", fails)
    with pytest.raises(StoreError, match=words) as caught:
        connect_milvus(settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("rpc DEADLINE_EXCEEDED: too slow", "no answer came in time, so ask for less at once"),
        ("Timeout expired", "no answer came, so check that Milvus runs"),
        ("should create connection first", "the client is closed, so open one with connect_milvus."),
        ("[Errno 28] while writing", "the disk is full, so make room on it."),
        ("[Errno 2] while reading", "the folder was deleted or moved while it was open, so open it anew"),
        ("magic bytes not found", "magic bytes not found, so restore it."),
        ("an odd thing.\nand more", "an odd thing, so try again."),
        ("", "no reason given, so try again."),
    ],
)
def test_what_milvus_says_becomes_one_sentence(said, words):
    with (
        pytest.raises(StoreError) as caught,
        milvus_errors("It failed", cure="try again", if_damaged="restore it"),
    ):
        raise MilvusException(message=said)
    assert str(caught.value).startswith(f"It failed: {words}")
