"""A real Milvus server until Ctrl-C: `python -m tools.milvus_server [--port=19530] [--folder=FOLDER]`.

`--install` fetches it and does no more, nothing at all on a machine that cannot run it.

Then, in another terminal, MILVUS_URI=http://127.0.0.1:19530 leads the notebooks to it. Rows stay in FOLDER.
"""

import argparse
import signal
import sys
from pathlib import Path

from tools.milvus_server.install import HOME, NoServer, UnsuitableMachine, check_machine, install
from tools.milvus_server.server import MilvusServer


def fetch() -> int:
    try:
        check_machine()
        install()
    except UnsuitableMachine as reason:
        print(reason)
    except (NoServer, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=19530)
    parser.add_argument("--folder", type=Path, default=HOME.parent / "data")
    parser.add_argument("--install", action="store_true")
    given = parser.parse_args()
    if given.install:
        return fetch()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with MilvusServer(given.folder.absolute(), port=given.port) as server:
            print(f"Milvus answers at {server.uri}; Ctrl-C stops it.", flush=True)
            signal.pause()
    except (NoServer, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
