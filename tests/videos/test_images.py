"""images.py: pictures as queries, whatever their size and kind."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers.errors import VideoError
from helpers.videos.images import open_picture, picture_to_send
from tests.make_media import write


def halves(mode: str = "RGB", size: tuple[int, int] = (400, 300)) -> Image.Image:
    """Dark on the left, bright on the right."""
    values = np.zeros(size[::-1], np.uint8)
    values[:, size[0] // 2 :] = 200
    return Image.fromarray(values).convert(mode)


def sides(image: Image.Image) -> tuple[int, int]:
    """The greys of the left and of the right half."""
    width, height = image.size
    grey = image.convert("L")
    return grey.getpixel((width // 4, height // 2)), grey.getpixel((3 * width // 4, height // 2))


def saved(image: Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)
    return path


def _sixteen_bits(folder: Path) -> Path:
    values = np.zeros((300, 400), np.uint16)
    values[:, 200:] = 200 * 257
    return saved(Image.fromarray(values), folder / "a.png")


def _floats(folder: Path) -> Path:
    return saved(Image.fromarray(np.asarray(halves("L"), np.float32) / 255), folder / "a.tiff")


def _turned(folder: Path) -> Path:
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(halves().transpose(Image.Transpose.ROTATE_90), folder / "a.jpg", exif=exif)


def _see_through(folder: Path) -> Path:
    image = halves("RGBA")
    image.putalpha(Image.fromarray(np.asarray(halves("L")) // 200 * 255).point(lambda v: 255 - v))
    return saved(image, folder / "a.png")


KINDS: dict[str, tuple[Callable[[Path], Path], tuple[int, int]]] = {
    "JPEG": (lambda p: saved(halves(), p / "a.jpg"), (0, 200)),
    "16 bits": (_sixteen_bits, (0, 200)),
    "floats": (_floats, (0, 255)),
    "CMYK": (lambda p: saved(halves("CMYK"), p / "a.jpg"), (0, 200)),
    "palette": (lambda p: saved(halves("P"), p / "a.png"), (0, 200)),
    "one bit": (lambda p: saved(halves("1"), p / "a.png"), (0, 255)),
    "grey with alpha": (lambda p: saved(halves("LA"), p / "a.png"), (0, 200)),
    "bright half left out": (_see_through, (0, 255)),
    "turned by EXIF": (_turned, (0, 200)),
    "WebP": (lambda p: saved(halves(), p / "a.webp"), (0, 200)),
    "GIF that moves": (
        lambda p: saved(halves(), p / "a.gif", save_all=True, append_images=[Image.new("RGB", (400, 300))]),
        (0, 200),
    ),
    "JPEG of 120 megapixels": (lambda p: saved(halves("L", (12_000, 10_000)), p / "a.jpg"), (0, 200)),
    "PNG of 20 megapixels": (lambda p: saved(halves("L", (5_000, 4_000)), p / "a.png"), (0, 200)),
}


@pytest.mark.slow
@pytest.mark.parametrize(("make", "greys"), KINDS.values(), ids=KINDS)
def test_a_picture_is_what_it_shows_whatever_its_kind(
    tmp_path: Path, make: Callable[[Path], Path], greys: tuple[int, int]
) -> None:
    path = make(tmp_path)
    image = open_picture(path)
    assert image.mode == "RGB" and max(image.size) <= 4096 and image.width > image.height
    assert sides(image) == pytest.approx(greys, abs=6)
    sent = Image.open(io.BytesIO(picture_to_send(path)))
    assert sent.format in ("JPEG", "PNG") and sent.mode in ("RGB", "L") and max(sent.size) <= 4096
    assert sides(sent) == pytest.approx(greys, abs=8)


def test_an_ordinary_picture_is_sent_as_it_is(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.png"):
        path = saved(halves(), tmp_path / name)
        assert picture_to_send(path) == path.read_bytes()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", r"photo.jpg is a HEIC picture.*export it as JPEG"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1", "photo.jpg is a HEIC picture"),
        (b"", r"photo.jpg is empty \(0 bytes\)"),
        (b"\xff\xd8\xff" + b"\0" * 200, "photo.jpg is a damaged picture"),
        (None, "no image file at .*photo.jpg"),
    ],
)
def test_what_is_no_picture_gets_one_sentence(tmp_path: Path, data: bytes | None, words: str) -> None:
    path = tmp_path / "photo.jpg"
    if data is not None:
        write(path, data)
    for read in (open_picture, picture_to_send):
        with pytest.raises(VideoError, match=words) as caught:
            read(path)
        assert "\n" not in str(caught.value)


def test_what_nobody_here_knows_is_left_to_the_service(tmp_path: Path) -> None:
    path = write(tmp_path / "photo.jpg", b"<html>sign in</html>")
    assert picture_to_send(path) == path.read_bytes()
    with pytest.raises(VideoError, match="photo.jpg is no picture that can be read"):
        open_picture(path)


def test_a_picture_that_is_cut_off(tmp_path: Path) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (300, 400, 3), np.uint8))
    for name in ("a.png", "a.jpg"):
        path = saved(noise, tmp_path / name)
        with pytest.raises(VideoError, match="is a damaged picture"):
            open_picture(write(path, path.read_bytes()[:5000]))


@pytest.mark.slow
def test_a_picture_too_large_to_be_opened_is_a_sentence(tmp_path: Path) -> None:
    path = saved(Image.new("1", (20_000, 20_000)), tmp_path / "map.png")
    with pytest.raises(VideoError, match="map.png is too large a picture to be opened: save it as JPEG"):
        open_picture(path)
