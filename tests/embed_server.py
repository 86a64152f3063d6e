"""An Embed API on loopback for the tests: real HTTP, the published protocol, answers by script.

`script` holds the next answers of a route, each (status, body) with body bytes or JSON; when a route's script
is empty the server behaves well. `seen` keeps every request as (method, path, headers, body).
"""

import hashlib
import json
import threading
from collections import defaultdict, deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

OPTIONS = {"marengo3.5": ["visual", "audio"], "marengo3.0": ["visual", "audio", "transcription"]}
METADATA = {
    "input_type": "video",
    "embedding_options": ["visual"],
    "embedding_scopes": ["clip"],
    "duration": 12.0,
}


def vector(*parts: object) -> list[float]:
    seed = int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:4], "big")
    row = np.random.default_rng(seed).normal(size=512)
    return [float(x) for x in row / np.linalg.norm(row)]


class EmbedServer:
    def __init__(self) -> None:
        self.script: dict[str, deque[tuple[int, Any]]] = defaultdict(deque)
        self.headers: deque[dict[str, str]] = deque()  # sent with the next scripted answers
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.tasks: dict[str, dict[str, Any]] = {}
        self.result_shape = {"_id": "t0", "status": "ready", "metadata": METADATA}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {k.lower(): v for k, v in self.headers.items()}
                outer.seen.append((self.command, self.path, headers, body))
                route = f"{self.command} {self.path.split('?')[0].removeprefix('/v1.3')}"
                scripted = next((q for name, q in outer.script.items() if q and route.startswith(name)), None)
                status, answer = scripted.popleft() if scripted else outer.answer(route, body)
                data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                for name, value in (outer.headers.popleft() if scripted and outer.headers else {}).items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_DELETE = handle_one

            def log_message(self, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/v1.3"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()

    def count(self, route: str) -> int:
        return sum(f"{m} {p.removeprefix('/v1.3')}".startswith(route) for m, p, _, _ in self.seen)

    def answer(self, route: str, body: bytes) -> tuple[int, Any]:
        if route == "POST /assets":
            return 201, {"_id": "a1", "method": "direct", "status": "processing", "filename": "v.mp4"}
        if route.startswith("GET /assets/"):
            return 200, {"_id": "a1", "method": "direct", "status": "ready", "filename": "v.mp4"}
        if route.startswith("DELETE /assets/"):
            return 204, b""
        if route == "POST /embed-v2":
            return 200, {"data": [{"embedding": vector(body)}]}
        if route == "POST /embed-v2/tasks":
            task_id = f"t{len(self.tasks)}"
            self.tasks[task_id] = json.loads(body)
            return 202, {"_id": task_id, "status": "processing"}
        if route.startswith("GET /embed-v2/tasks/"):
            return 200, self.result(route.rsplit("/", 1)[1])
        return 404, {"error": {"code": "not_found", "message": "no such route"}}

    def result(self, task_id: str) -> dict[str, Any]:
        request = self.tasks[task_id]
        options = request["video"].get("embedding_option") or OPTIONS[request["model_name"]]
        times = [("clip", 6.0, 12.0), ("clip", 0.0, 6.0), ("asset", 0.0, 12.0)]  # the order is not promised
        rows = [
            {
                "embedding": vector(o, *t),
                "embedding_option": o,
                "embedding_scope": t[0],
                "start_sec": t[1],
                "end_sec": t[2],
            }
            for o in options
            for t in times
        ]
        return {**self.result_shape, "_id": task_id, "data": rows}
