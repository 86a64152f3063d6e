"""HTTP for the practice server, with the faults of the wire: what an honest server never does to a connection."""

import contextlib
import hashlib
import select
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from helpers.standin.wire import Answer

PIECE = 0.02  # seconds between two looks at whether the client is still there


@dataclass(frozen=True)
class Reply:
    """An answer, and the fault with which to send it: a name in `faults.WIRE`, or "" for none."""

    answer: Answer
    fault: str = ""
    seconds: float = 0.0  # for the faults that take time


class HttpServer(ThreadingHTTPServer):
    """Sends what `respond(method, path, headers, body)` says, on a port of 127.0.0.1, until `closing` is set."""

    request_queue_size = 64

    def __init__(self, respond: Callable[..., Reply], port: int, closing: threading.Event) -> None:
        self.respond, self.closing = respond, closing
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)
        self.host = f"http://127.0.0.1:{self.server_address[1]}"

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, args=(PIECE,), daemon=True).start()

    def stop(self) -> None:
        """Stop, and drop the connections that are open."""
        self.shutdown()
        self.server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):  # a client that was killed is none of our errors
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: HttpServer

    def _serve(self) -> None:
        body = self._body()
        if body is None:  # the client has gone in the middle of its request
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.respond(self.command, self.path, headers, body)
        data = reply.answer.data()
        match reply.fault:
            case "timeout":
                self._hold(reply.seconds)
                self.close_connection = True
            case "reset" | "lost":
                self._reset()
            case "hangup":
                self.close_connection = True
            case "cut":
                self._send(reply.answer, data[: len(data) // 2], len(data))
                self.close_connection = True
            case "slow":
                self._drip(reply.answer, data, reply.seconds)
            case _:
                self._send(reply.answer, data, len(data))

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve

    def _body(self) -> bytes | None:
        """The whole body, or None if the client went away while it sent it."""
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            data = b""
            while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return data
        length = int(self.headers.get("content-length", 0))
        data = self.rfile.read(length)
        return data if len(data) == length else None

    def _send(self, answer: Answer, data: bytes, length: int) -> None:
        self.send_response(answer.status)
        number = hashlib.sha256(f"{id(self)} {time.monotonic_ns()}".encode()).hexdigest()[:16]
        headers = {"Content-Type": "application/json", "X-Request-Id": number} | answer.headers
        for name, value in headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(data)

    def _drip(self, answer: Answer, data: bytes, seconds: float) -> None:
        pieces = max(1, min(200, round(seconds / PIECE)))
        size = max(1, -(-len(data) // pieces))
        self._send(answer, b"", len(data))
        for start in range(0, len(data), size):
            self.wfile.write(data[start : start + size])
            if self.server.closing.wait(seconds / pieces):
                break

    def _hold(self, seconds: float) -> None:
        """Wait, but no longer than the client does."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self.server.closing.wait(PIECE):
            readable, _, _ = select.select([self.connection], [], [], 0)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                return

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.connection.close()  # with unsent time 0: a reset, not a farewell

    def log_message(self, format: str, *args: Any) -> None:
        pass
