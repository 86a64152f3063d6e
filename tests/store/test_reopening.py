"""After the last cell of a notebook: a client that was closed opens again with the next call, and lets go again."""

import time

import pytest

from helpers import (
    connect_milvus,
    count_segments,
    create_collection,
    disconnect_milvus,
    insert_segments,
    read_segments,
    search_segments,
)
from helpers.errors import StoreError
from helpers.store import calls
from tests.store.test_store import needs_fork, other_notebook
from tools.faults.store_case import OLD, QUERY, toy_settings


@pytest.fixture
def closed(tmp_path):
    """Settings and the client of a notebook that ran to its end."""
    settings = toy_settings(tmp_path)
    client = connect_milvus(settings)
    create_collection(client, "c", OLD)
    insert_segments(client, "c", OLD)
    disconnect_milvus(client, settings)
    yield settings, client
    disconnect_milvus(client, settings)


CALLS = {
    "search": lambda milvus: search_segments(milvus, "c", QUERY),
    "read": lambda milvus: read_segments(milvus, "c"),
    "insert": lambda milvus: insert_segments(milvus, "c", OLD),
    "list": lambda milvus: milvus.list_collections(),
    "count": lambda milvus: count_segments(milvus, "c"),
    "plain pymilvus": lambda milvus: milvus.query("c", filter="cluster == -1", output_fields=["segment_id"]),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_any_call_opens_it(closed, call):
    client = closed[1]
    call(client)
    assert count_segments(client, "c") == len(OLD)


def test_the_client_of_another_cell_lives_as_well(closed):
    settings, client = closed
    beside = connect_milvus(settings)
    assert count_segments(beside, "c") == len(OLD)
    disconnect_milvus(client, settings)
    assert count_segments(beside, "c") == len(OLD) == count_segments(client, "c")


def test_it_may_be_closed_twice(closed):
    settings, client = closed
    count_segments(client, "c")
    for _ in range(2):
        disconnect_milvus(client, settings)
        client.close()
    assert count_segments(client, "c") == len(OLD)


@pytest.mark.slow
@needs_fork
def test_a_folder_that_was_opened_again_is_let_go(closed, monkeypatch):
    settings, client = closed
    monkeypatch.setattr(calls, "IDLE_SECONDS", 0.05)
    assert count_segments(client, "c") == len(OLD)
    time.sleep(0.5)
    with other_notebook(settings.milvus_uri) as seen:
        assert seen == ["c"]
        with pytest.raises(StoreError, match=r"^The Milvus folder .* is in use by another notebook: close"):
            count_segments(client, "c")
    assert count_segments(client, "c") == len(OLD)


def test_a_folder_stays_open_while_a_call_runs(closed, monkeypatch):
    client = closed[1]
    monkeypatch.setattr(calls, "IDLE_SECONDS", 0.02)
    with client.in_use():
        time.sleep(0.1)
        assert client.is_open_again
    assert count_segments(client, "c") == len(OLD)
