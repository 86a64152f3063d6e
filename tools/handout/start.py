"""Install the notebooks from this folder, without a network, and try them: python start.py [--to FOLDER]

Prints READY, or one reason why not. A second run is quick, and keeps whatever you changed. It needs Python 3.11,
3.12 or 3.13 and nothing else; the wheels beside it are for Linux (x86_64), Windows (x64) and macOS (Apple silicon).
"""

import argparse
import hashlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

say = partial(print, flush=True)  # in order with what the programs say that it starts
HERE = Path(__file__).resolve().parent
ENVIRONMENT_BYTES = 2_000_000_000  # what an environment takes, more or less
VERSIONS = ((3, 11), (3, 12), (3, 13))

TRIAL = """
import tempfile, os
os.environ["VIDEO_SEARCH_HOME"] = tempfile.mkdtemp()
os.environ["VIDEO_SEARCH_MODE"] = "offline"
from helpers import *
settings = load_settings(notebook="start")
client, milvus = connect_twelvelabs(settings), connect_milvus(settings)
segments = embed_videos(client, sample_videos())
create_collection(milvus, "start", segments)
insert_segments(milvus, "start", segments)
assert len(search_segments(milvus, "start", embed_text(client, "a rabbit in a meadow"))) == 5
disconnect_milvus(milvus, settings)
"""


class NotReadyError(Exception):
    """One reason, and what to do."""


def system_name() -> str:
    """ "linux", "windows" or "macos", where the wheels fit this machine; NotReadyError where they do not."""
    system, machine = platform.system(), platform.machine().lower()
    if sys.version_info[:2] not in VERSIONS:
        raise NotReadyError(
            "this is Python {}.{}: install 3.11, 3.12 or 3.13, and run this with it".format(*sys.version_info)
        )
    if sys.maxsize <= 2**32:
        raise NotReadyError("this Python has 32 bits: install one of 64 bits, and run this with it")
    if system == "Windows" and machine in ("amd64", "x86_64"):
        return "windows"
    if system == "Linux" and machine == "x86_64":
        library, version = platform.libc_ver()
        if library != "glibc" or tuple(map(int, version.split(".")[:2])) < (2, 28):
            raise NotReadyError(
                f"this Linux has {library or 'no glibc'} {version}: take one with glibc 2.28 or newer"
            )
        return "linux"
    if system == "Darwin" and machine == "arm64":
        if int(platform.mac_ver()[0].split(".")[0]) < 14:
            raise NotReadyError("this is macOS before 14: update it, or work beside somebody")
        return "macos"
    raise NotReadyError(
        f"there are no wheels for {system} on {machine}: work beside somebody, or with a network"
    )


def check_wheels(wheels: Path, system: str) -> None:
    """Whether all wheels for this Python are there, whole; NotReadyError names the first that is not."""
    name = "{}-{}.{}".format(system, *sys.version_info)
    try:
        manifest = json.loads((HERE / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError):
        raise NotReadyError("manifest.json is missing or damaged: copy the whole folder again") from None
    if name not in manifest["sets"]:
        raise NotReadyError(
            f"this folder was made without wheels for {name}: it has {', '.join(manifest['sets'])}"
        )
    for file in manifest["sets"][name]:
        path = wheels / file
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != manifest["sha256"][file]:
            raise NotReadyError(f"the wheel {file} is missing or damaged: copy the whole folder again")


def copy_repository(target: Path) -> None:
    """Copy the repository, whole or not at all; one that is there stays as it is."""
    if (target / "requirements.txt").is_file():
        say(f"{target} is there, and stays as it is.")
        return
    if target.exists() and any(target.iterdir()):
        raise NotReadyError(f"{target} holds other files: name another folder with --to")
    free = shutil.disk_usage(next(p for p in target.parents if p.exists())).free
    if free < ENVIRONMENT_BYTES:
        raise NotReadyError(
            f"{free / 1e9:.1f} GB are free, and 2 are needed: make room, or name a folder with --to"
        )
    say(f"Copying the notebooks to {target}.")
    part = target.with_name(target.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(HERE / "video-search", part)
    if target.exists():
        target.rmdir()
    part.rename(target)


def install(target: Path, wheels: Path) -> Path:
    """Make the environment from the wheels alone, and return its Python."""
    if any(importlib.util.find_spec(name) is None for name in ("venv", "ensurepip")):
        raise NotReadyError("this Python cannot make environments: install its venv package (python3-venv)")
    # As an address, since pip takes a space for the end of a path.
    only = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wheels.as_uri(), "PIP_CONFIG_FILE": os.devnull}
    surroundings = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")} | only
    if os.name != "nt":
        python = target / ".venv" / "bin" / "python"
        command = ["sh", str(target / "tools" / "make_env.sh"), "requirements.txt"]
        done = subprocess.run(command, env=surroundings | {"PYTHON": sys.executable}).returncode == 0
    else:
        python = target / ".venv" / "Scripts" / "python.exe"
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(target / ".venv")], check=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "-r", "requirements.txt"]
        done = subprocess.run(command, env=surroundings, cwd=target).returncode == 0
    if not done:
        raise NotReadyError("the packages could not be installed: the lines above say why")
    return python


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--to", type=Path, default=Path.home() / "video-search", help="where to (~/video-search)"
    )
    target = parser.parse_args().to.expanduser().resolve()
    wheels = HERE / "wheels"
    try:
        check_wheels(wheels, system_name())
        copy_repository(target)
        python = install(target, wheels)
        say("Trying it: embedding the samples, storing them, one search.")
        tried = subprocess.run([str(python), "-c", TRIAL], cwd=target, capture_output=True, text=True)
        if tried.returncode:
            last = (tried.stderr.strip() or "no word").splitlines()[-1]
            raise NotReadyError(f"the trial failed: {last.partition('Error: ')[2] or last}")
    except NotReadyError as error:
        say(f"Not ready: {str(error).rstrip('.')}.")
        return 1
    except OSError as error:
        say(f"Not ready: {error.filename or target}: {error.strerror or error}.")
        return 1
    say("READY. To begin:")
    say(f'  cd "{target}"')
    say(f"  {python.relative_to(target)} -m tools.lab")
    return 0


if __name__ == "__main__":
    sys.exit(main())
