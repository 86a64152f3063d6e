"""Every test starts offline, with a home of its own, and without a way to the network."""

import functools
import gc
import os
import socket
import ssl
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import matplotlib
import pytest
import tenacity
from hypothesis import settings
from twelvelabs import TwelveLabs

from helpers import connect_twelvelabs, progress
from helpers.embed import client as api
from helpers.embed import tasks
from helpers.standin.practice import PracticeServer
from tools.faults.children import forkserver
from tools.notebook_env import SWITCHES

gc.disable()  # until all tests are collected: half a million objects that stay would be looked through ten times
if hasattr(os, "fork"):  # a child is given a function of a test's module, which imports these
    forkserver("pytest", "tests.store.test_store")
matplotlib.use("Agg")
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")

# Switches as on a new machine, whatever the shell and .env say; a test sets what it needs on top.
os.environ.update(dict.fromkeys((*SWITCHES, "VIDEO_SEARCH_MODE"), ""), VIDEO_SEARCH_PROGRESS="plain")
os.environ.pop("TWELVELABS_BASE_URL", None)


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Share the tests out to the workers of `--dist loadgroup`, so that none works alone in the end.

    Notebooks that run live come first, and each goes where there is room; of the others, a file stays on one worker,
    for its fixtures. The tests in a browser stay together, as they share a server and a browser.
    """
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))
        elif not any(map(item.get_closest_marker, ("live", "xdist_group"))):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    long = ("browser", "live", "slow")
    items.sort(key=lambda item: next((i for i, name in enumerate(long) if item.get_closest_marker(name)), 3))


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """From here on garbage is collected, among what the tests make."""
    gc.freeze()
    gc.enable()


NUMBERS = count()


@pytest.fixture(autouse=True, scope="session")
def session_home() -> Iterator[Path]:
    """A home for what the fixtures of a module or a session make."""
    with tempfile.TemporaryDirectory(prefix="tests-", ignore_cleanup_errors=True) as home:
        os.environ["VIDEO_SEARCH_HOME"] = home
        yield Path(home)


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch, session_home: Path) -> None:
    """A home for each test, made when it is used: databases and caches of one are not there in the next."""
    monkeypatch.setenv("VIDEO_SEARCH_HOME", str(session_home / f"home-{next(NUMBERS)}"))


@pytest.fixture(autouse=True)
def closed_connections(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test opens over HTTP is closed when it ends; the SDK's client has no way to close its own."""
    opened: list[httpx.Client] = []
    make = httpx.Client.__init__

    def remembered(self: httpx.Client, *args: Any, **options: Any) -> None:
        make(self, *args, **options)
        opened.append(self)

    monkeypatch.setattr(httpx.Client, "__init__", remembered)
    yield
    for one in opened:
        one.close()


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """Sockets reach this machine only: a test that needs more fails, here as on a train."""
    connect = socket.socket.connect

    def local_connect(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else "localhost"
        if host not in ("localhost", "127.0.0.1", "::1"):
            raise OSError(f"A test tried to reach {host}: tests run without a network.")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", local_connect)
        yield


@pytest.fixture(autouse=True, scope="session")
def certificates_read_once() -> Iterator[None]:
    """Each HTTP client reads the machine's certificates, 28 ms of work for what no test needs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", functools.cache(ssl.create_default_context))
        yield


KEY = "tlk_planted_in_the_tests"


@pytest.fixture
def practice(monkeypatch: pytest.MonkeyPatch) -> Iterator[PracticeServer]:
    """A service to misbehave, and the switches of live mode set to it; nobody waits between two tries."""
    with PracticeServer(None, time_scale=0.01) as server:
        monkeypatch.delenv("VIDEO_SEARCH_MODE", raising=False)
        monkeypatch.setenv("TWELVE_LABS_API_KEY", KEY)
        monkeypatch.setenv("TWELVELABS_BASE_URL", server.url)
        monkeypatch.setattr(api, "WAIT", tenacity.wait_none())
        monkeypatch.setattr(api, "RATE_WAIT", tenacity.wait_none())
        monkeypatch.setattr(tasks, "LOST_SECONDS", 0.0)
        yield server


@pytest.fixture
def client(practice: PracticeServer) -> TwelveLabs:
    """The live client, connected to the practice server."""
    return connect_twelvelabs()


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """The name of a collection of its own for each test."""
    return "".join(c if c.isalnum() and c.isascii() else "_" for c in request.node.name)


@pytest.fixture
def bars_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress bars as learners see them, and at once, however quick the machine is."""
    monkeypatch.delenv("VIDEO_SEARCH_PROGRESS")
    monkeypatch.setattr(progress, "BAR_SECONDS", 1e-6)
    monkeypatch.setattr(progress, "tqdm", functools.partial(progress.tqdm, mininterval=0))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what tests measured with `record_property`: times are shown, never asserted."""
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name}: {value}")
