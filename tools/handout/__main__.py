"""Make the folder for a workshop without a network: `make handout`, or `python -m tools.handout --help`.

In it: the repository as of the last commit, the wheels of its packages for each system and Python, their manifest
with sha256, and start.py, which installs and tries it all.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tqdm.auto import tqdm

from helpers.settings import ROOT
from tools.handout import start
from tools.reset import NOTEBOOKS, ORIGINALS

# By system: what uv calls it, and the tags of the wheels that run on the oldest one; for Linux pip wants each named.
GLIBC = (28, 27, 26, 24, 17, 12, 5)
SYSTEMS = {
    "linux": ("x86_64-unknown-linux-gnu", [f"manylinux_2_{minor}_x86_64" for minor in GLIBC]),
    "windows": ("x86_64-pc-windows-msvc", ["win_amd64"]),
    "macos": ("aarch64-apple-darwin", ["macosx_14_0_arm64"]),
}
PYTHONS = tuple("{}.{}".format(*version) for version in start.VERSIONS)
BUILD = ("setuptools", "wheel")  # what `-e .` is built with

READ_ME = """\
Semantic video search, step by step: to install without a network
==================================================================

1. You need Python 3.11, 3.12 or 3.13. Nothing else is fetched.
2. Open a terminal in this folder, and run

       python3 start.py          (Windows: py start.py)

   It copies the notebooks to ~/video-search (another place: --to FOLDER), installs them there in a minute or two,
   tries them, and says READY or one reason why not. Run it again whenever you like: your changes are kept.
3. The last lines say how to open JupyterLab. Begin with notebooks/01_setup.ipynb.

This folder may be unplugged then. Only start.py itself needs it.
"""


def resolved(system: str, python: str) -> list[str]:
    """The packages, `name==version`, that requirements.txt means on that system with that Python."""
    # Whether a package is for Windows only, pip asks of the machine that it runs on; uv asks of the one named.
    command = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "compile",
        "--quiet",
        "requirements.txt",
        "-c",
        "constraints.txt",
    ]
    command += ["--python-platform", SYSTEMS[system][0], "--python-version", python]
    command += ["--only-binary", ":all:", "--no-header", "--no-annotate"]
    answer = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"MACOSX_DEPLOYMENT_TARGET": "14.0"},
        capture_output=True,
        text=True,
    )
    if answer.returncode:
        raise SystemExit(f"The packages for {system} and Python {python} were not found:\n{answer.stderr}")
    return [line for line in answer.stdout.splitlines() if "==" in line]


def download(packages: Sequence[str], system: str, python: str, wheels: Path) -> list[str]:
    """Fetch the wheels of these packages, as far as they are not there; their file names."""
    with tempfile.TemporaryDirectory(dir=wheels.parent) as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
        command += ["--only-binary", ":all:", "--python-version", python]
        command += [part for tag in SYSTEMS[system][1] for part in ("--platform", tag)]
        done = subprocess.run([*command, "--find-links", wheels.as_uri(), *packages, *BUILD])
        if done.returncode:
            raise SystemExit(f"The wheels for {system} and Python {python} did not come: run this again.")
        files = sorted(Path(folder).iterdir())
        for file in files:
            file.replace(wheels / file.name)
    return [file.name for file in files]


def unpack_repository(target: Path) -> None:
    """The files of the last commit; what is not committed is said, and left out."""
    if subprocess.run(
        ["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip():
        print("Changes that are not committed are left out.")
    shutil.rmtree(target, ignore_errors=True)
    with subprocess.Popen(["git", "archive", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE) as packed:
        with tarfile.open(fileobj=packed.stdout, mode="r|") as archive:
            archive.extractall(target, filter="data")
    if packed.returncode:
        raise SystemExit("git could not pack the repository: the lines above say why.")
    for name in NOTEBOOKS:
        shutil.copytree(target / name, target / ORIGINALS / name)


def build(folder: Path, systems: Sequence[str], pythons: Sequence[str]) -> dict[str, list[str]]:
    """Fill the folder; {"linux-3.11": [wheels], …}. A run that was stopped goes on where it was."""
    wheels = folder / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    unpack_repository(folder / "video-search")
    sets = {}
    for system, python in tqdm([(s, p) for s in systems for p in pythons], unit="set", desc="wheels"):
        sets[f"{system}-{python}"] = download(resolved(system, python), system, python, wheels)
    known = {file for files in sets.values() for file in files}
    for file in wheels.iterdir():
        if file.name not in known:  # of an older version
            file.unlink()
    digests = {file: hashlib.sha256((wheels / file).read_bytes()).hexdigest() for file in sorted(known)}
    text = json.dumps({"sets": sets, "sha256": digests}, indent=1)
    (folder / "manifest.json").write_text(text, "utf-8")
    shutil.copyfile(start.__file__, folder / "start.py")
    (folder / "README.txt").write_text(READ_ME, "utf-8")
    return sets


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--to", type=Path, default=ROOT / "handout", help="the folder (handout)")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--pythons", nargs="+", choices=PYTHONS, default=list(PYTHONS))
    given = parser.parse_args()
    sets = build(given.to, given.systems, given.pythons)
    size = sum(file.stat().st_size for file in given.to.rglob("*") if file.is_file())
    print(f"{given.to}: {size / 1e9:.2f} GB, for {', '.join(sets)}.")
    print("Copy it onto sticks or a shared folder. There: python start.py")
    return 0


if __name__ == "__main__":
    sys.exit(main())
