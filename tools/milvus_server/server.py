"""Start, stop and kill a real Milvus server, of which one port on 127.0.0.1 can be reached, and nothing else."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from pymilvus import MilvusClient, MilvusException

from tools.milvus_server import inside
from tools.milvus_server.install import NoServer, check_machine, install, isolation

START_SECONDS = 120.0
STOP_SECONDS = 20.0  # for a clean stop; then it is killed


class MilvusServer:
    """Milvus 2.3.5 with its rows in `folder`, from `start()` or `with` on; what was written outlives a kill."""

    def __init__(self, folder: Path, *, port: int = 0) -> None:
        check_machine()
        self.installed, self.folder = install(), folder
        with socket.create_server(("127.0.0.1", port)) as probe:
            self.port = int(probe.getsockname()[1])
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers; NoServer if it does not."""
        self.folder.mkdir(parents=True, exist_ok=True)
        script = [sys.executable, inside.__file__, str(self.installed), str(self.folder)]
        with socket.create_server(("127.0.0.1", self.port)) as listener:  # a socket stays in its namespace
            self.process = subprocess.Popen(
                [*isolation(), *script], stdin=listener.fileno(), start_new_session=True
            )
        limit = time.monotonic() + START_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > limit:
                self.kill()
                raise NoServer(f"The Milvus server did not start: its last words are in {self.folder}/logs.")
            time.sleep(0.3)

    def _answers(self) -> bool:
        with suppress(MilvusException):
            client = MilvusClient(self.uri, timeout=2, dedicated=True)
            try:
                client.list_collections(timeout=2)
                return True
            finally:
                client.close()
        return False

    def kill(self) -> None:
        """kill -9, as when the power fails, for all but the disk."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end; it is killed if it does not."""
        self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        if self.process is None:
            return
        for one in (number, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, one)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_SECONDS)
                break
        self.process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
