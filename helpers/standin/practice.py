"""An Embed API on this machine, to practise with: the published protocol over real HTTP, and faults on demand.

    with PracticeServer("marengo3.5") as server:  # then point TWELVELABS_BASE_URL at server.url
        server.fault("POST /embed-v2/tasks", 429, times=2, retry_after=1)

`python -m helpers.standin.practice --model marengo3.0 --port 8800` serves until Ctrl-C. It has no model: vectors
are drawn at random from the content, so they carry no meaning and say nothing about what Marengo finds.
The protocol is in protocol.py, the vectors are in vectors.py, the faults in faults.py,
and how a bad connection is made in server.py.
"""

import argparse
import contextlib
import fnmatch
import hashlib
import io
import json
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from helpers.arguments import check_amounts, is_number, is_text, is_whole
from helpers.errors import SettingsError
from helpers.models import LIVE_MODEL
from helpers.standin.faults import FATES, ROWS, SECONDS, TAKES_EFFECT, WIRE, Fault, Limit, Script, halved
from helpers.standin.protocol import Service, Task
from helpers.standin.server import HttpServer, Reply
from helpers.standin.vectors import LIVE_MODELS, PracticeBrain
from helpers.standin.wire import BASE, Answer, Refusal, Request, error_body, read_form


@dataclass
class Seen:
    """A request as it came, and what was answered: an HTTP status, or the name of a fault.

    The key is not kept. The body of an upload is kept as JSON of its fields, a file as its sha256.
    `at` is in seconds since the server's start.
    """

    method: str
    path: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    at: float
    answer: str = ""

    @property
    def route(self) -> str:
        """ "POST /embed-v2/tasks": without the base path and the query."""
        return f"{self.method} {self.path.split('?')[0].removeprefix(BASE)}"

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class PracticeServer:
    """Serves `model` ("marengo3.5", "marengo3.0", or None for both) on a port of 127.0.0.1 until `close()`.

    Any key is good but "" and "invalid". An asset says `processing` on its first poll, a task on its first
    `polls`. `time_scale` shortens all that faults hold back or ask the client to wait for.
    """

    def __init__(
        self,
        model: str | None = LIVE_MODEL,
        *,
        seed: int = 0,
        polls: int = 1,
        port: int = 0,
        time_scale: float = 1.0,
    ) -> None:
        check_amounts(SettingsError, polls=polls, time_scale=time_scale)
        for name, number in {"seed": seed, "port": port}.items():
            if not is_whole(number, least=0) or (name == "port" and number > 65_535):
                raise SettingsError(f"The {name} is {number!r}: give a whole number from 0.")
        brain = PracticeBrain(LIVE_MODELS if model is None else (model,), seed=seed)
        self.service = Service(brain, seed=seed, polls=polls)
        self.time_scale, self.latency = time_scale, 0.0  # latency: seconds before each answer
        self.seen: list[Seen] = []
        self._script = Script(seed)
        self.closing = threading.Event()
        self._lock, self._started = threading.Lock(), time.monotonic()
        try:
            self._http = HttpServer(self.respond, port, self.closing)
        except OSError as error:
            raise SettingsError(
                f"Port {port} cannot be had ({error.strerror}): name another with --port."
            ) from None
        self.host = self._http.host
        self.url = self.host + BASE
        self._http.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop, and drop the connections that are open."""
        self.closing.set()
        self._http.stop()

    def fault(
        self,
        route: str,
        kind: str | int,
        *,
        times: float = 1,
        after: int = 0,
        share: float = 1.0,
        effect: bool | None = None,
        **details: Any,
    ) -> None:
        """Spoil the next `times` requests of a route such as "GET /embed-v2/tasks/*", but the first `after`.

        Of those it spoils a `share`, at random by the server's seed.
        `kind` is an HTTP status or a name in `faults.KINDS`, which also lists the details. `effect`
        says whether the server does what was asked nevertheless (True for lost, cut, slow, truncated and for
        spoilt results). Faults of a route are used one after the other. SettingsError for an unknown kind.
        """
        _check_route(route)
        check_amounts(SettingsError, times=times, after=after, share=share)
        name = str(kind)
        takes = name in TAKES_EFFECT if effect is None else effect
        self._script.faults.append(Fault(route, name, times, after, takes, share, details))

    def limit(self, route: str, requests: int, seconds: float = 60.0) -> None:
        """Answer 429, with the rate limit's headers, to more than `requests` in `seconds` (scaled) on a route."""
        _check_route(route)
        check_amounts(SettingsError, requests=requests, seconds=seconds)
        self._script.limits.append(Limit(route, requests, seconds * self.time_scale))

    def heal(self) -> None:
        """End all faults and limits; what they did to tasks and assets remains."""
        self._script.clear()

    def reset(self) -> None:
        """As new: no faults, no assets, no tasks, nothing seen, nothing charged."""
        self.heal()
        with self._lock:
            self.seen.clear()
            self.service.clear()

    def advance(self, *, days: float) -> None:
        """Put the server's clock forward; tasks older than seven days are gone."""
        if not is_number(days) or abs(days) > 36_500:
            raise SettingsError(f"The days are {days!r}: give a number, of a century at most.")
        self.service.later += timedelta(days=days)

    def count(self, route: str) -> int:
        """How many requests came to a route; `*` stands for anything."""
        _check_route(route)
        with self._lock:
            return sum(fnmatch.fnmatchcase(seen.route, route) for seen in self.seen)

    @property
    def tasks(self) -> dict[str, Task]:
        return self.service.tasks

    @property
    def charged(self) -> Counter[tuple[str, str, str]]:
        """How many tasks were created for (sha256 of the file, model, JSON of all other arguments)."""
        return self.service.charged

    def respond(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        """The answer to a request, and how to send it."""
        seen = self._note(method, path, headers, body)
        if self.latency:
            self.closing.wait(self.latency * self.time_scale)
        address = urlsplit(path)
        path, query = address.path.removeprefix(BASE), parse_qs(address.query)
        if refused := self._script.refusal(seen.route, path):
            seen.answer = "429"
            return Reply(refused)
        fault = self._script.due(seen.route)
        kind = fault.kind if fault else ""
        if fault and kind in FATES and method == "GET":
            self.service.set_fate(path.rsplit("/", 1)[1], kind, fault.details.get("message", ""))
        if kind == "pages":
            query["reversed"] = ["1"]
        answer = Answer(200)
        if fault is None or fault.effect:
            answer = self._answer(Request(method, path, query, headers, io.BytesIO(body), self.host))
        seen.answer = kind or str(answer.status)
        if fault and kind in FATES and method == "POST" and isinstance(answer.body, dict):
            self.service.set_fate(str(answer.body.get("_id")), kind, fault.details.get("message", ""))
        if fault and kind == "truncated":
            return Reply(halved(answer))
        if fault and kind in WIRE:
            seconds = fault.details.get("seconds", SECONDS.get(kind, 0.0))
            return Reply(answer, kind, seconds * self.time_scale)
        if fault and kind not in FATES and kind not in ROWS:
            return Reply(fault.answer(path, scale=self.time_scale))
        if spoiler := self._script.due(seen.route, answer):
            seen.answer = spoiler.kind
            return Reply(spoiler.spoil(answer))
        return Reply(answer)

    def _note(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Seen:
        kept = headers | ({"x-api-key": "(a key)"} if headers.get("x-api-key") else {})
        body = _kept_body(method, headers, body)
        seen = Seen(method, path, kept, body, time.monotonic() - self._started)
        with self._lock:
            self.seen.append(seen)
        return seen

    def _answer(self, request: Request) -> Answer:
        presigned = request.method == "PUT"  # the address is the permission
        if not presigned and request.headers.get("x-api-key", "") in ("", "invalid"):
            return Answer(401, error_body("", "api_key_invalid", "The API key is missing or invalid."))
        return self.service.answer(request)


def _check_route(route: object) -> None:
    if not is_text(route):
        raise SettingsError(f"The route is {route!r}: give a text such as 'POST /embed-v2'.")


def _kept_body(method: str, headers: dict[str, str], body: bytes) -> bytes:
    """What `seen` keeps of a body: uploads as JSON of the form's fields, with the sha256 of the file."""
    kind = headers.get("content-type", "")
    if kind.startswith("multipart/form-data"):
        try:
            fields, name, _, data = read_form(io.BytesIO(body), kind)
        except Refusal:
            return b"{}"
        file: dict[str, str] = {}
        if data is not None:
            with data:
                file = {"file": hashlib.sha256(data.read()).hexdigest(), "file_name": name}
        return json.dumps(fields | file).encode()
    if method == "PUT":
        return json.dumps({"file": hashlib.sha256(body).hexdigest()}).encode()
    return body


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m helpers.standin.practice", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--model", default=LIVE_MODEL, choices=LIVE_MODELS)
    parser.add_argument("--port", type=int, default=8800)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--polls", type=int, default=1, help="how often a task says that it is processing")
    parser.add_argument(
        "--fault",
        nargs=2,
        action="append",
        default=[],
        metavar=("ROUTE", "KIND"),
        help='spoil every request of a route: --fault "POST /embed-v2" 503',
    )
    given = parser.parse_args(arguments)
    try:
        server = PracticeServer(given.model, seed=given.seed, polls=given.polls, port=given.port)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background ignores it
    with server, contextlib.suppress(KeyboardInterrupt):
        for route, kind in given.fault:
            server.fault(route, kind, times=float("inf"))
        print(f"export TWELVELABS_BASE_URL={server.url}")
        print("export TWELVE_LABS_API_KEY=practice")
        if given.model != LIVE_MODEL:
            print(f"export TWELVE_LABS_MODEL={given.model}")
        print("Serving until Ctrl-C; the vectors carry no meaning.", file=sys.stderr, flush=True)
        server.closing.wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
