"""display.py: stills, vectors and clips show a picture as a player does."""

import io
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from helpers.standin.encoder import sample_frames
from helpers.videos.frames import cut_clip, thumbnail
from helpers.videos.limits import check_limits
from helpers.videos.media import probe
from tests.make_media import timed_film, write

FIFTHS = [n / 5 for n in range(15)]
COLOURS = {"R": (220, 20, 20), "G": (20, 220, 20), "B": (20, 20, 220), "W": (220, 220, 220)}


def quarters(second: float) -> np.ndarray:
    """Red and green above, blue and white below."""
    picture = np.zeros((96, 128, 3), np.uint8)
    picture[:48, :64], picture[:48, 64:], picture[48:, :64], picture[48:, 64:] = COLOURS.values()
    return picture


def corners(image: Image.Image) -> str:
    width, height = image.size
    spots = [(x * width // 8, y * height // 8) for y in (1, 7) for x in (1, 7)]
    seen = [image.convert("RGB").getpixel(spot) for spot in spots]
    return "".join(
        min(COLOURS, key=lambda name: sum(abs(a - b) for a, b in zip(COLOURS[name], rgb, strict=True)))
        for rgb in seen
    )


def views(path: Path) -> dict[str, Image.Image]:
    """What each reader makes of the second 1."""
    with av.open(io.BytesIO(cut_clip(path, 1, 2))) as clip:
        frame = next(clip.decode(video=0))
        assert not frame.rotation
        first = frame.to_image()
    return {"still": thumbnail(path, 1), "vector": next(sample_frames(path, [1])), "clip": first}


@pytest.mark.parametrize(
    ("matrix", "right", "upright"),
    [
        ((1, 0, 0, 1), "RGBW", False),
        ((-1, 0, 0, 1), "GRWB", False),
        ((1, 0, 0, -1), "BWRG", False),
        ((-1, 0, 0, -1), "WBGR", False),
        ((0, 1, -1, 0), "BRWG", True),
        ((0, -1, 1, 0), "GWRB", True),
        ((0, 1, 1, 0), "RBGW", True),
        ((0, -1, -1, 0), "WGBR", True),
    ],
)
def test_a_display_matrix_turns_and_mirrors(
    tmp_path: Path, matrix: tuple[int, ...], right: str, upright: bool
) -> None:
    data = timed_film(tmp_path / "a.mp4", FIFTHS, quarters).read_bytes()
    plain = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
    at = data.index(plain, data.index(b"tkhd"))
    a, b, c, d = (65536 * n for n in matrix)
    path = write(
        tmp_path / "b.mp4", data[:at] + struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30) + data[at + 36 :]
    )
    for who, image in views(path).items():
        assert corners(image) == right, who
        assert (image.height > image.width) == upright, who
    assert (probe(path).width, probe(path).height) == ((96, 128) if upright else (128, 96))


@pytest.mark.parametrize(("shape", "size"), [(Fraction(16, 11), (186, 96)), (Fraction(1, 2), (128, 192))])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_pixels_that_are_not_square(
    tmp_path: Path, shape: Fraction, size: tuple[int, int], suffix: str
) -> None:
    def change(stream: av.VideoStream) -> None:
        stream.codec_context.sample_aspect_ratio = shape

    path = timed_film(tmp_path / f"a{suffix}", FIFTHS, quarters, change=change)
    for who, image in views(path).items():
        assert image.width / image.height == pytest.approx(size[0] / size[1], rel=0.02), who
        assert corners(image) == "RGBW", who
    assert (probe(path).width, probe(path).height) == size
    (first, *_) = check_limits(probe(path), path, model="marengo3.0")
    assert f"scale={size[0]}:{size[1]},setsar=1" in first


def test_interlaced_pictures_have_no_comb(tmp_path: Path) -> None:
    def fields(second: float) -> np.ndarray:
        """A bar that has moved on in every second line."""
        picture = np.full((96, 128, 3), 30, np.uint8)
        picture[0::2, 30:60], picture[1::2, 60:90] = 220, 220
        return picture

    options = {"preset": "fast", "flags": "+ildct+ilme", "x264-params": "tff=1", "crf": "10"}
    path = timed_film(tmp_path / "a.mp4", FIFTHS, fields, options=options)
    for who, image in views(path).items():
        grey = np.asarray(image.convert("L").resize((128, 96)), np.int16)
        assert np.abs(np.diff(grey[20:76, 40], axis=0)).max() < 40, who
    assert "yadif=deint=interlaced" in check_limits(probe(path), path, model="marengo3.0")[0]


RAMP = np.repeat(np.linspace(0, 255, 128).astype(np.uint8)[None, :, None], 96, 0).repeat(3, 2)


@pytest.mark.parametrize(
    "make",
    [
        lambda p: timed_film(p / "a.mp4", FIFTHS, lambda t: RAMP),
        lambda p: timed_film(p / "a.mp4", FIFTHS, lambda t: RAMP, pix_fmt="yuvj420p"),
        lambda p: timed_film(p / "a.mp4", FIFTHS, lambda t: RAMP, pix_fmt="yuv420p10le"),
        lambda p: timed_film(p / "a.mp4", FIFTHS, lambda t: RAMP, pix_fmt="yuv422p"),
        lambda p: timed_film(
            p / "a.avi", FIFTHS, lambda t: RAMP, codec="mjpeg", pix_fmt="yuvj420p", base=Fraction(1, 5)
        ),
        lambda p: timed_film(
            p / "a.avi", FIFTHS, lambda t: RAMP, codec="ffv1", pix_fmt="bgra", base=Fraction(1, 5)
        ),
    ],
    ids=["limited", "full range", "10 bits", "4:2:2", "Motion JPEG", "with alpha"],
)
def test_black_is_black_and_white_white(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    for who, image in views(make(tmp_path)).items():
        row = np.asarray(image.convert("L").resize((128, 96)), np.int16)[48]
        assert np.abs(row - np.linspace(0, 255, 128)).max() < 10, who


def pq_code(nits: float) -> int:
    """The value, of 255, that stands for a brightness in PQ (SMPTE ST 2084)."""
    y = (nits / 10_000) ** 0.1593017578125
    return round(255 * ((0.8359375 + 18.8515625 * y) / (1 + 18.6875 * y)) ** 78.84375)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("transfer", "codes"), [("smpte2084", [pq_code(203), pq_code(1)]), ("arib-std-b67", [191, 25])]
)
def test_hdr_is_shown_as_bright_as_other_video(tmp_path: Path, transfer: str, codes: list[int]) -> None:
    """White paper, which PQ and HLG write as a middle grey, is light; what is dark stays dark."""

    def picture(_: float) -> np.ndarray:
        return np.repeat(np.array(codes, np.uint8), 64)[None, :, None].repeat(96, 0).repeat(3, 2)

    options = {"x265-params": f"colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc:log-level=none"}
    path = timed_film(
        tmp_path / "a.mp4", FIFTHS, picture, codec="libx265", pix_fmt="yuv420p10le", options=options
    )
    for who, image in views(path).items():
        row = np.asarray(image.convert("L").resize((128, 96)), np.int16)[48]
        assert row[32] > 170 and row[96] < 60, (who, row[[32, 96]])
