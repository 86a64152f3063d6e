"""Small media files and an unreadable folder, made by the tests that need them."""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

NOBODY = 65534
FAST = {"aac_coder": "fast"}


def film(
    path: Path,
    *,
    size: tuple[int, int] = (64, 48),
    seconds: float = 1,
    rate: int | Fraction = 5,
    loud: bool = False,
) -> Path:
    """A small video of one flat grey that changes, without sound or with a hiss."""
    with av.open(str(path), "w") as container:
        codec = "libvpx" if path.suffix == ".webm" else "libx264"
        options = (
            {"preset": "ultrafast"} if codec == "libx264" else {"cpu-used": "16", "deadline": "realtime"}
        )
        stream = container.add_stream(codec, rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        voice = container.add_stream("aac", 8000, FAST, layout="mono") if loud else None
        for number in range(round(seconds * rate)):
            grey = np.full((size[1], size[0], 3), 40 + number % 150, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        container.mux(stream.encode())
        if voice is not None:
            noise = np.random.default_rng(0).normal(0, 0.1, round(seconds * 8000)).astype(np.float32)
            for start in range(0, len(noise), 1024):
                frame = av.AudioFrame.from_ndarray(noise[None, start : start + 1024], "fltp", "mono")
                frame.sample_rate, frame.pts = 8000, start
                container.mux(voice.encode(frame))
            container.mux(voice.encode())
    return path


def sound(path: Path, *, cover: bool = False) -> Path:
    """A second of silence; with a cover picture if wanted."""
    with av.open(str(path), "w") as container:
        voice = container.add_stream("libmp3lame" if path.suffix == ".mp3" else "aac", rate=44100)
        picture = container.add_stream("mjpeg", rate=1) if cover else None
        if picture:
            picture.width = picture.height = 32
            picture.pix_fmt = "yuvj420p"
            picture.disposition = av.stream.Disposition.attached_pic
            still = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
            container.mux(picture.encode(still))
            container.mux(picture.encode())
        for _ in range(40):
            chunk = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            chunk.rate = 44100
            container.mux(voice.encode(chunk))
        container.mux(voice.encode())
    return path


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@contextmanager
def locked_folder() -> Iterator[Path]:
    """A folder, with a file film.mp4 in it, that nobody may read; root becomes another user meanwhile."""
    with tempfile.TemporaryDirectory(prefix="locked-") as name:
        outer, folder = Path(name), Path(name) / "locked"
        folder.mkdir()
        write(folder / "film.mp4", b"secret")
        outer.chmod(0o755)
        folder.chmod(0)
        root = os.geteuid() == 0
        if root:
            os.seteuid(NOBODY)
        try:
            yield folder
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o700)


def second_grey(second: float) -> np.ndarray:
    """A picture whose grey tells the whole second: ten times it."""
    return np.full((96, 128, 3), min(250, int(second + 1e-6) * 10), np.uint8)


def timed_film(
    path: Path,
    times: Iterable[float],
    picture: Callable[[float], np.ndarray] = second_grey,
    *,
    begin: float = 0.0,
    loud: tuple[float, float] | None = None,
    codec: str = "libx264",
    form: str | None = None,
    base: Fraction = Fraction(1, 1000),
    rate: int = 5,
    options: dict[str, str] | None = None,
    pix_fmt: str = "yuv420p",
    change: Callable[[av.VideoStream], None] = lambda stream: None,
) -> Path:
    """A video with `picture(t)` at each of `times`, which the file's clock shows `begin` seconds later.

    `loud` is where, on the file's clock, a sound starts and ends. `change` may set what else the stream needs.
    """
    with av.open(str(path), "w", format=form) as container:
        stream = container.add_stream(codec, rate=rate, options={"preset": "ultrafast", **(options or {})})
        moments = list(times)
        height, width, _ = picture(moments[0]).shape
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        stream.codec_context.time_base = stream.time_base = base
        change(stream)
        # The encoder's own way of choosing takes ten times as long as everything else here.
        voice = container.add_stream("aac", 44100, FAST, layout="mono") if loud else None
        for second in moments:
            frame = av.VideoFrame.from_ndarray(picture(second), format="rgb24")
            frame.pts, frame.time_base = round((second + begin) / base), base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if voice is not None and loud:
            for number in range(int(loud[0] * 44100) // 1024, int(loud[1] * 44100) // 1024):
                wave = 0.5 * np.sin(np.arange(1024, dtype=np.float32) / 10)[None]
                chunk = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
                chunk.sample_rate, chunk.pts, chunk.time_base = 44100, number * 1024, Fraction(1, 44100)
                container.mux(voice.encode(chunk))
            container.mux(voice.encode())
    return path


def tiles(seed: int, *, columns: int = 6) -> np.ndarray:
    """A picture of coloured tiles, as small as the service takes it.

    A square, unless `columns` says otherwise: the offline model looks once at a square, else three times.
    """
    small = np.random.default_rng(seed).integers(0, 255, (6, columns, 3)).astype(np.uint8)
    return small.repeat(60, 0).repeat(60, 1)


def tiles_film(path: Path, seed: int = 0, *, seconds: int = 6, columns: int = 6) -> Path:
    """A video of one picture of tiles, shown twice a second."""
    picture = tiles(seed, columns=columns)
    return timed_film(path, [n / 2 for n in range(2 * seconds)], lambda second: picture, rate=2)


def garden(folder: Path) -> None:
    """Put twelve films of 4 s, IMG_0000.mp4 to IMG_0011.mp4, into a folder."""
    for number in range(12):
        tiles_film(folder / f"IMG_{number:04}.mp4", number, seconds=4)


def second_of(picture: Image.Image) -> int:
    """The second that a picture of `second_grey` tells."""
    return round(float(np.asarray(picture.convert("L")).mean()) / 10)
