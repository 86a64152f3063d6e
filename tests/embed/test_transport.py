"""What lies below the SDK: proxies and certificates of an office, redirects, and rate limits as they are today."""

import dataclasses
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from twelvelabs import TwelveLabs
from twelvelabs.core import serialization

from helpers import connect_twelvelabs, embed_text, embed_videos
from helpers.embed import client as api
from helpers.embed import transport, uploads
from helpers.embed.rate_limits import LONGEST_KNOWN, pause_asked_for, used_up_for
from helpers.errors import EmbedError, SettingsError
from helpers.settings import ROOT, Settings, load_settings
from helpers.standin.practice import PracticeServer
from tests.conftest import KEY

CAT = ROOT / "data" / "videos" / "cat.mp4"
QUERY = "POST /embed-v2"
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of the published service, in an environment without proxies: a test adds its own."""
    for name in (*PROXIES, *map(str.upper, PROXIES), "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    return dataclasses.replace(load_settings(), live=True, api_key=KEY, model="marengo3.5")


# ---------------------------------------------------------------- proxies


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        (
            "ALL_PROXY",
            "socks5://10.0.0.1:1080",
            "ALL_PROXY names a SOCKS proxy, which needs one more package",
        ),
        ("all_proxy", "socks5h://10.0.0.1:1080", "all_proxy names a SOCKS proxy"),
        ("ALL_PROXY", "socks://10.0.0.1:1080/", "ALL_PROXY is no address of a proxy"),
        ("HTTPS_PROXY", "http://proxy.example:80a", "HTTPS_PROXY is no address of a proxy"),
        ("https_proxy", "http://[::1", "https_proxy is no address of a proxy"),
        ("Https_Proxy", "http://:3128", "Https_Proxy is no address of a proxy"),
        ("https_proxy", "http://ann:p@ss/word@proxy.example:3128", "https_proxy is no address of a proxy"),
        ("SSL_CERT_FILE", "/nowhere/ca.pem", r"SSL_CERT_FILE is '/nowhere/ca.pem', .*\(No such file"),
        ("SSL_CERT_FILE", str(CAT), "SSL_CERT_FILE is '.*cat.mp4', where no certificates can be read"),
        ("SSL_CERT_FILE", str(CAT.parent), "SSL_CERT_FILE is '.*videos', where no certificates can be read"),
    ],
)
def test_an_environment_in_which_no_client_can_be_made(
    office: Settings, monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=words) as caught:
        connect_twelvelabs(office)
    assert "word" not in str(caught.value).replace("of a password", "")


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("value", ["http://127.0.0.1:9", "socks://nonsense", "http://proxy.example:80a"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_is_reached_without_a_proxy(
    office: Settings,
    practice: PracticeServer,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    host: str,
) -> None:
    monkeypatch.setenv(name, value)
    here = dataclasses.replace(office, base_url=practice.url.replace("127.0.0.1", host))
    assert embed_text(connect_twelvelabs(here), "a cat").vector.shape == (512,)


class _Recorder(BaseHTTPRequestHandler):
    """Keeps what arrives in `seen`, and answers as `answer` says."""

    seen: list[tuple[str, str, dict[str, str], bytes]]
    answer: tuple[int, dict[str, str]]

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        type(self).seen.append((self.command, self.path, headers, body))
        status, more = type(self).answer
        self.send_response(status)
        for name, value in {**more, "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()

    do_GET = do_POST = do_PUT = do_CONNECT = _any

    def log_message(self, *args: Any) -> None:
        """Nothing on the screen."""


@pytest.fixture
def other() -> Iterator[Any]:
    """Another server of this machine; `.seen` is what arrived there, `.url` its address."""
    handler = type("Handler", (_Recorder,), {"seen": [], "answer": (502, {})})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    handler.url = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
    yield handler
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "ALL_PROXY"])
def test_a_remote_service_keeps_its_proxy(
    office: Settings, monkeypatch: pytest.MonkeyPatch, other: Any, name: str
) -> None:
    monkeypatch.setenv(name, other.url.removeprefix("http://"))  # as many write it, without http://
    monkeypatch.setenv("no_proxy", "localhost,10.0.0.0/8,fe80::/10")  # which httpx alone cannot read
    client = connect_twelvelabs(office)
    with pytest.raises(
        EmbedError, match=rf"cannot be reached \(ProxyError\); check the proxy that {name} names"
    ):
        api.call(lambda: list(client.assets.list()), "list", attempts=1)
    assert [(method, path) for method, path, _, _ in other.seen] == [("CONNECT", "api.twelvelabs.io:443")]
    assert "x-api-key" not in other.seen[0][2]
    for without in (".twelvelabs.io", "x, api.twelvelabs.io:443", "*"):
        monkeypatch.setenv("no_proxy", without)
        assert transport.proxy_for("https://api.twelvelabs.io/v1.3") == ("", None)
    monkeypatch.setenv("no_proxy", "api.twelvelabs.io:8443")
    assert transport.proxy_for("https://api.twelvelabs.io/v1.3")[0]


def test_a_certificate_that_is_not_trusted_is_not_tried_again() -> None:
    tries: list[int] = []

    def distrusted() -> None:
        tries.append(1)
        raise httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed")

    with pytest.raises(EmbedError, match="set SSL_CERT_FILE to the certificates of your office"):
        api.call(distrusted, "list")
    assert tries == [1]


# ---------------------------------------------------------------- the key goes to one host


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_takes_neither_key_nor_words_elsewhere(
    client: TwelveLabs, practice: PracticeServer, other: Any, status: int
) -> None:
    practice.fault(QUERY, "answer", status=status, headers={"Location": f"{other.url}/v1.3/embed-v2"})
    with pytest.raises(
        EmbedError, match=r"sent the request on to 127\.0\.0\.1:\d+, to which neither your key"
    ):
        embed_text(client, "a cat")
    assert other.seen == [] and practice.count(QUERY) == 1


def test_another_name_of_the_same_machine_is_another_host(
    client: TwelveLabs, practice: PracticeServer
) -> None:
    elsewhere = practice.url.replace("127.0.0.1", "localhost")
    practice.fault("GET /assets", "answer", status=307, headers={"Location": f"{elsewhere}/assets"})
    with pytest.raises(EmbedError, match="sent the request on to localhost:"):
        api.call(lambda: list(client.assets.list()), "list")
    assert practice.count("GET /assets") == 1


def test_a_redirect_within_the_service_is_followed(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.fault("GET /assets", "answer", status=307, headers={"Location": "/v1.3/assets?page=1"})
    assert api.call(lambda: list(client.assets.list()), "list") == []
    assert practice.count("GET /assets") >= 2


def test_a_whole_upload_goes_nowhere_else(client: TwelveLabs, practice: PracticeServer, other: Any) -> None:
    practice.fault("POST /assets", "answer", status=307, headers={"Location": f"{other.url}/v1.3/assets"})
    with pytest.raises(EmbedError, match="neither your key nor your file"):
        embed_videos(client, CAT)
    assert other.seen == []


@pytest.mark.parametrize("status", [302, 307])
def test_a_part_goes_to_the_host_that_the_service_named_without_the_key(
    client: TwelveLabs, practice: PracticeServer, other: Any, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(uploads, "DIRECT_BYTES", 100_000)
    practice.service.assets.chunk_bytes = 100_000
    practice.fault("PUT *", "answer", times=9, status=status, headers={"Location": f"{other.url}/stolen"})
    with pytest.raises(EmbedError, match="neither your key nor your file"):
        embed_videos(client, CAT)
    assert other.seen == []
    assert all("x-api-key" not in seen.headers for seen in practice.seen if seen.route.startswith("PUT"))


# ---------------------------------------------------------------- rate limits


THEN = 1_800_000_000.0  # a moment, in seconds since 1970


def limits(now: float | None = None, **parts: tuple[object, float]) -> dict[str, str]:
    """Headers of limits by name ("plain" has none): what remains, and the seconds until the reset."""
    headers = {}
    now = time.time() if now is None else now
    for name, (remaining, seconds) in parts.items():
        of = "" if name == "plain" else f"{name}-"
        headers[f"x-ratelimit-{of}remaining"] = str(remaining)
        headers[f"x-ratelimit-{of}reset"] = str(now + seconds)
    return headers


@pytest.mark.parametrize(
    ("headers", "asked", "used_up"),
    [
        (limits(THEN, plain=(0, 20)), 20, 20),
        (limits(THEN, request=(0, 20)), 20, 20),
        (limits(THEN, plain=(0, 20), request=(0, 20), duration=(35_000, 80)), 20, 20),
        (limits(THEN, request=(0, 20), duration=("0.0", 70)), 70, 70),
        (limits(THEN, request=(3, 20), duration=(-4, 50), outputtoken=(9, 80)), 50, 50),
        (limits(THEN, request=(0, 20), duration=(0, 86_400)), 86_400, 0),  # a quota: it is told at once
        (limits(THEN, request=(3, 20), duration=(12, 40)), 40, 0),  # a refusal that does not say which
        ({"x-ratelimit-dimensions": "Duration,Request", "x-ratelimit-duration-limit": "36000"}, None, 0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"}, None, 0),
        ({"x-ratelimit-remaining": "none", "x-ratelimit-reset": str(THEN + 20)}, 20, 0),
        ({"x-ratelimit-reset": "inf"}, LONGEST_KNOWN, 0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "60"}, 60, 60),  # from now, as others write it
        (limits(THEN, **{"request": (3, 20), "video-duration": (0, 40)}), 40, 40),
        ({"x-ratelimit-remaining": "", "x-ratelimit-reset": ""}, None, 0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "-7"}, 0, 0),
        ({"x-ratelimit-reset": "nan", "retry-after": "nan"}, None, 0),
        ({"retry-after": "1e300"}, LONGEST_KNOWN, 0),
        ({"retry-after": "7", **limits(THEN, plain=(0, 20))}, 7, 20),
        ({}, None, 0),
    ],
)
def test_what_the_headers_ask_for(
    monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], asked: float | None, used_up: float
) -> None:
    monkeypatch.setattr("time.time", lambda: THEN)
    assert pause_asked_for(headers, 429) == asked
    assert used_up_for(httpx.Headers(headers)) == used_up
    if "retry-after" not in headers:
        assert pause_asked_for(headers, 503) is None


def test_a_refusal_by_the_seconds_of_video_is_waited_for(
    client: TwelveLabs, practice: PracticeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", waits.append)
    practice.fault(QUERY, 429, headers=limits(request=(4, 5), duration=(0, 40)))
    monkeypatch.setattr(
        transport, "used_up_for", lambda headers: 0.0
    )  # the pause before the next is tested below
    embed_text(client, "a cat")
    assert len(waits) == 1 and 20 < waits[0] <= 40


def test_a_limit_by_its_own_name_is_not_asked_again_before_its_time(
    client: TwelveLabs, practice: PracticeServer
) -> None:
    practice.fault(QUERY, 429, headers=limits(request=(4, 5), duration=(0, 60)))
    with pytest.raises(EmbedError):
        api.call(lambda: _ask(client), "ask", attempts=1)
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    with pytest.raises(EmbedError, match="Stopped"):
        api.call(lambda: _ask(client), "ask", stop=stop)
    assert practice.count(QUERY) == 1


def test_a_pause_ends_with_the_limit(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.fault(QUERY, 429, headers=limits(request=(0, 0.3)))
    with pytest.raises(EmbedError):
        api.call(lambda: _ask(client), "ask", attempts=1)
    api.call(lambda: _ask(client), "ask", attempts=1)
    assert practice.count(QUERY) == 2


def _ask(client: TwelveLabs) -> Any:
    words = {"input_text": "cat"}
    return client.embed.v_2.create(input_type="multi_input", model_name="marengo3.5", multi_input=words)  # type: ignore[arg-type]


def test_the_practice_server_speaks_the_names_of_today(practice: PracticeServer) -> None:
    practice.limit(QUERY, 1)
    for _ in range(2):
        answer = httpx.post(f"{practice.url}/embed-v2", json={}, headers={"x-api-key": KEY})
    assert answer.status_code == 429 and answer.headers["x-ratelimit-dimensions"] == "Duration,Request"
    assert answer.headers["x-ratelimit-request-remaining"] == answer.headers["x-ratelimit-remaining"] == "0"
    assert float(answer.headers["x-ratelimit-duration-remaining"]) > 0


# ---------------------------------------------------------------- answers


@pytest.mark.parametrize("live", [False, True])
def test_the_sdk_does_not_look_at_each_number_of_a_vector(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, live: bool
) -> None:
    """An hour of video has more than a million numbers."""
    client = request.getfixturevalue("client") if live else connect_twelvelabs()
    asked, look = [0], serialization.convert_and_respect_annotation_metadata

    def counted(**what: Any) -> Any:
        asked[0] += 1
        return look(**what)

    monkeypatch.setattr(serialization, "convert_and_respect_annotation_metadata", counted)
    assert embed_text(client, "a cat in the grass").vector.shape == (512,)
    assert 0 < asked[0] < 100
