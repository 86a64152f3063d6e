"""A real Milvus server, started once. Where it could run and does not, its tests fail in CI; else they are skipped."""

import os
from dataclasses import replace

import pytest

from helpers.settings import load_settings
from helpers.store import client as store_client
from tools.milvus_server.install import NoServer, UnsuitableMachine
from tools.milvus_server.server import MilvusServer


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    try:
        server = MilvusServer(tmp_path_factory.mktemp("milvus-server"))
        server.start()
    except NoServer as reason:
        if os.environ.get("CI") and not isinstance(reason, UnsuitableMachine):
            raise
        pytest.skip(str(reason))
    yield server
    server.kill()


def settings_at(server, prefix=""):
    return replace(load_settings(), milvus_uri=server.uri, milvus_token="", prefix=prefix)


@pytest.fixture
def milvus(server):
    settings = settings_at(server)
    client = store_client.connect_milvus(settings)
    yield client
    store_client.disconnect_milvus(client, settings)
