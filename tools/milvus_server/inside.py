"""Run inside a network namespace of its own: the server, and a relay from the one port that is reachable outside.

The server's nine ports listen on every interface, and no setting changes that; here there is no interface but a
loopback of its own. Standard input is a listening socket that was made outside, on 127.0.0.1: what connects there
is passed on. Whoever started this ends it by killing the process group.
"""

import ctypes
import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

PORT = 19530  # in here
IFF_UP, SIOCGIFFLAGS, SIOCSIFFLAGS, PR_SET_PDEATHSIG = 1, 0x8913, 0x8914, 1


def loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        flags = struct.unpack_from(
            "H", fcntl.ioctl(probe, SIOCGIFFLAGS, struct.pack("16sH14x", b"lo", 0)), 16
        )[0]
        fcntl.ioctl(probe, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def write_config(installed: Path, folder: Path) -> None:
    """configs/milvus.yaml in `folder`, by the package's own template."""
    sys.path.insert(0, str(installed / "packages"))
    from milvus import MilvusServerConfig  # type: ignore[import-not-found]

    config = MilvusServerConfig(data_dir=str(folder))
    config.set("log.level", "warn")
    config.set("log.stdout", "false")
    config.set("common.session.ttl", "5")  # seconds after a kill in which it still counts as there, not 30
    config.resolve()


def start(installed: Path, folder: Path) -> "subprocess.Popen[bytes]":
    libc = ctypes.CDLL(None)
    env = os.environ | {
        "DEPLOY_MODE": "STANDALONE",
        "METRICS_PORT": "9091",
        "MILVUS_RUN_DIR": str(folder / "run"),
        "LD_LIBRARY_PATH": str(installed / "bin"),
    }
    with (folder / "logs" / "output.log").open("ab") as log:
        return subprocess.Popen(
            [str(installed / "bin" / "milvus"), "run", "standalone"],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL),  # no server without its relay
        )


def relay(listener: socket.socket) -> None:
    while True:
        near, _ = listener.accept()
        try:
            far = socket.create_connection(("127.0.0.1", PORT))
        except OSError:  # not up yet
            near.close()
            continue
        for source, sink in ((near, far), (far, near)):
            source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=pump, args=(source, sink), daemon=True).start()


def pump(source: socket.socket, sink: socket.socket) -> None:
    with source, suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)


def main(installed: Path, folder: Path) -> int:
    listener = socket.socket(fileno=os.dup(0))
    loopback_up()
    write_config(installed, folder)
    server = start(installed, folder)
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    threading.Thread(target=relay, args=(listener,), daemon=True).start()
    return server.wait()


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), Path(sys.argv[2])))
