"""The channel to Milvus: never through a proxy on this machine, without pings where Lite answers; and what is said."""

import socket
import threading
from dataclasses import replace

import grpc
import pytest
from pymilvus import MilvusException

from helpers.errors import StoreError
from helpers.settings import load_settings
from helpers.store import calls, opened
from helpers.store import client as store_client
from helpers.store.collection import create_collection
from helpers.store.errors import is_damaged
from helpers.store.io import count_segments, insert_segments, read_segments
from helpers.store.opened import open_collection
from tests.store.test_store import GOOD, Spy, settings_in

pytest.importorskip("resource", reason="Windows cannot run the server of the faults")

from tools.faults.store_server import Server

PROXIES = ["http_proxy", "https_proxy", "all_proxy", "grpc_proxy"]
NO_PINGS = 2**31 - 1


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.kill()


@pytest.fixture
def channels(monkeypatch, server):
    """The options of each channel that is made; an address of example.org leads to the server."""
    made, real = [], grpc.insecure_channel

    def channel(target, options):
        made.append(dict(options))
        target = f"127.0.0.1:{server.port}" if "example.org" in target else target
        return real(target, options=options)

    monkeypatch.setattr(grpc, "insecure_channel", channel)
    return made


@pytest.fixture(params=[*PROXIES, *(name.upper() for name in PROXIES)])
def proxy(request, monkeypatch):
    """One variable that names a proxy where nobody listens, and no exception from it."""
    for name in (*PROXIES, "no_proxy", "no_grpc_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv(request.param, "http://127.0.0.1:9")


def at(uri):
    return replace(load_settings(), milvus_uri=uri, milvus_token="", prefix="")


def used(settings):
    client = store_client.connect_milvus(settings)
    create_collection(client, "c", GOOD)
    insert_segments(client, "c", GOOD)
    assert count_segments(client, "c") == len(GOOD)
    store_client.disconnect_milvus(client, settings)


def test_a_folder_opens_behind_a_proxy(proxy, tmp_path):
    used(settings_in(tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_a_server_on_this_machine_opens_behind_a_proxy(proxy, server, host):
    used(at(f"http://{host}:{server.port}"))


@pytest.fixture
def served(server):
    """A client of the server, with an empty collection c."""
    settings = at(f"http://127.0.0.1:{server.port}")
    client = store_client.connect_milvus(settings)
    client.drop_collection("c")
    create_collection(client, "c", GOOD)
    yield client
    store_client.disconnect_milvus(client, settings)


def test_a_client_of_a_server_opens_again_after_it_was_closed(served):
    insert_segments(served, "c", GOOD)
    served.close()
    assert count_segments(served, "c") == len(GOOD)


@pytest.mark.parametrize(("pending", "waits"), [([4, 2, 0, 0], True), ([4], False)])
def test_a_write_waits_until_a_server_has_indexed_it(served, monkeypatch, caplog, pending, waits):
    def describe_index(self, name, field):
        rows = pending.pop(0) if len(pending) > 1 else pending[0]
        return {"field_name": field, "index_type": "HNSW", "total_rows": 9, "pending_index_rows": rows}

    monkeypatch.setattr(calls.Client, "describe_index", describe_index)
    monkeypatch.setattr(opened, "INDEX_PAUSE", 0.0)
    monkeypatch.setattr(opened, "WORK_SECONDS", calls.WORK_SECONDS if waits else 0.0)
    monkeypatch.setattr(opened, "is_lite", lambda milvus: False)  # the server is one of Milvus Lite
    insert_segments(served, "c", GOOD)
    assert ("Milvus is still indexing 4 rows of c: until then" in caplog.text) is not waits
    assert pending == ([0] if waits else [4])
    open_collection(served, "c").index("visual")
    assert ("so this search may miss some" in caplog.text) is not waits


def test_a_remote_server_keeps_its_proxy(monkeypatch):
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            near, _ = listener.accept()
            asked.append(near.recv(4096).split(b"\r\n")[0])
            near.close()

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{listener.getsockname()[1]}")
        monkeypatch.setattr(calls, "CONNECT_SECONDS", 0.5)
        with pytest.raises(StoreError, match="start Milvus at milvus.invalid:19530, as it did not answer"):
            store_client.connect_milvus(at("http://milvus.invalid:19530"))
        thread.join(5)
    assert asked == [b"CONNECT milvus.invalid:19530 HTTP/1.1"]


@pytest.mark.parametrize("uri", ["folder", "http://127.0.0.1:{}", "http://localhost:{}"])
def test_no_pings_and_no_proxy_on_this_machine(channels, server, tmp_path, uri):
    settings = settings_in(tmp_path) if uri == "folder" else at(uri.format(server.port))
    client = store_client.connect_milvus(settings)
    assert [made["grpc.keepalive_time_ms"] for made in channels] == [NO_PINGS]
    assert [made["grpc.enable_http_proxy"] for made in channels] == [0]
    store_client.disconnect_milvus(client, settings)


@pytest.mark.parametrize(
    ("version", "pings"), [("milvus_lite-3.2.2", [10_000, NO_PINGS]), ("2.6.9", [10_000])]
)
def test_no_pings_where_a_remote_server_is_a_lite_one(channels, monkeypatch, version, pings):
    monkeypatch.setattr(calls.Client, "get_server_version", lambda self: version)
    settings = at("http://milvus.example.org:19530")
    client = store_client.connect_milvus(settings)
    assert [made["grpc.keepalive_time_ms"] for made in channels] == pings
    assert not any("grpc.enable_http_proxy" in made for made in channels)
    assert client.has_collection("none") is False
    store_client.disconnect_milvus(client, settings)


# What is said: data are moved or dropped only where they are damaged

REASONS = {
    "deny to load, insufficient memory on query node": False,
    "privilege check failed: DescribeCollection: permission deny to ada": False,
    "unknown index_type: 'SCANN'": False,
    "[Errno 24] Too many open files: '/data/x.db/collections/c/data_000001.parquet'": False,
    "Failed to open local file '/d/c.parquet'. Detail: [errno 13] Permission denied": False,
    "malloc of size 1073741824 failed at '/home/corrupt Parquet/x.db'": False,
    "both manifest.json and manifest.json.prev failed to load in '/d/c': Expecting value": True,
    "schema file '/d/schema.json' missing key 'fields'": True,
    "Parquet magic bytes not found in footer": True,
}


@pytest.mark.parametrize("call", ["describe_collection", "load_collection"])
@pytest.mark.parametrize("reason", REASONS)
def test_only_of_damaged_data_is_it_said_to_drop_them(tmp_path, reason, call):
    def failing(*args, **options):
        raise MilvusException(message=reason)

    def not_loaded(*args, **options):
        raise MilvusException(code=101, message="the collection is not loaded")

    class Failing(Spy):
        def __getattr__(self, name):
            return {call: failing, "query_iterator": not_loaded}.get(name) or super().__getattr__(name)

    settings = settings_in(tmp_path)
    client = store_client.connect_milvus(settings)
    create_collection(client, "c", GOOD)
    with pytest.raises(StoreError, match="^The collection 'c' cannot be opened: ") as caught:
        read_segments(Failing(client), "c")
    store_client.disconnect_milvus(client, settings)
    assert ("drop" in str(caught.value)) is is_damaged(reason) is REASONS[reason]
    assert ("try again, and restart the kernel" in str(caught.value)) is not REASONS[reason]


def test_an_address_that_is_none_is_refused_without_its_password():
    for uri in ("http://[::1", "http://ann:a/b@localhost:99999"):
        with pytest.raises(StoreError, match="MILVUS_URI names no server") as caught:
            store_client.connect_milvus(replace(load_settings(), milvus_uri=uri))
        assert "ann" not in str(caught.value) and "a/b" not in str(caught.value)


def test_a_file_that_is_no_old_database_is_not_called_one(tmp_path):
    (tmp_path / "store.db").write_text("my notes")
    with pytest.raises(StoreError, match=r"is a file, and Milvus Lite needs a folder: set MILVUS_URI"):
        store_client.connect_milvus(settings_in(tmp_path))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: (folder / "LOCK").mkdir(), r"\(Is a directory\): set MILVUS_URI to another path"),
        (lambda folder: (folder / "collections").write_text("x"), r"set MILVUS_URI to another path"),
    ],
)
def test_a_folder_that_cannot_be_opened_is_not_to_be_moved_away(tmp_path, damage, said):
    folder = tmp_path / "store.db"
    folder.mkdir()
    damage(folder)
    with pytest.raises(StoreError, match=said) as caught:
        store_client.connect_milvus(settings_in(tmp_path))
    assert "move it away" not in str(caught.value) and "Errno" not in str(caught.value)


@pytest.mark.slow
def test_a_collection_of_another_model_is_not_to_be_dropped(tmp_path):
    settings = settings_in(tmp_path)
    client = store_client.connect_milvus(settings)
    create_collection(client, "c", GOOD)
    with pytest.raises(StoreError, match="not of 'other': make one under another name.$"):
        create_collection(client, "c", GOOD.assign(model="other"))
    store_client.disconnect_milvus(client, settings)


# Which version answers


class Answering:
    """What the helpers ask of a client to know its version."""

    def __init__(self, version):
        self.get_server_version = lambda: version


@pytest.mark.parametrize(
    ("version", "before_2_4", "before_2_6_2"),
    [
        ("v2.3.5-lite", True, True),
        ("2.4.0", False, True),
        ("v2.6.1", False, True),
        ("2.6.2", False, False),
        ("v3.0.2", False, False),
        ("Zilliz Cloud Vector Database(Compatible with Milvus 2.6)", False, True),
        ("milvus_lite-2.0", False, False),  # it has what is asked about here
        ("unknown", False, False),
    ],
)
def test_versions(version, before_2_4, before_2_6_2):
    assert store_client.is_before(Answering(version), 2, 4) is before_2_4
    assert store_client.is_before(Answering(version), 2, 6, 2) is before_2_6_2


def test_the_version_is_asked_for_once(tmp_path, monkeypatch):
    asked, real = [], calls.Client.get_server_version
    monkeypatch.setattr(calls.Client, "get_server_version", lambda self: asked.append(1) or real(self))
    settings = settings_in(tmp_path)
    client = store_client.connect_milvus(settings)
    for name in ("a", "b"):
        create_collection(client, name, GOOD)
    assert store_client.is_lite(client) and asked == [1]
    store_client.disconnect_milvus(client, settings)


def test_several_options_where_a_server_holds_one_vector(tmp_path, monkeypatch):
    monkeypatch.setattr(calls.Client, "get_server_version", lambda self: "v2.3.5")
    settings = settings_in(tmp_path)
    client = store_client.connect_milvus(settings)
    with pytest.raises(StoreError, match=r"2\.3\.5 holds one vector a row.*such as options=\['visual'\]\."):
        create_collection(client, "c", GOOD)
    create_collection(client, "c", GOOD, options=["visual"])
    store_client.disconnect_milvus(client, settings)
