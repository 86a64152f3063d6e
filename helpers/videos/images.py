"""Pictures as queries: opened whatever their size and kind, upright, in RGB, and small enough to be sent."""

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile

from helpers.errors import VideoError
from helpers.videos.media import printable, shown

LARGE, SIDE = 4096, 2048  # pixels: from which longer side on a picture is made smaller, and to which
MOST_BYTES = 5_000_000  # the documented limit of an image in Marengo 3.0; 3.5 takes more
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


def picture_to_send(path: str | Path) -> bytes:
    """The bytes of an ordinary JPEG or PNG; of any other picture an ordinary JPEG of what it shows.

    What nobody here knows is sent as it is: the service has its own say. Raises VideoError, in one sentence,
    for no such file and for a picture that is damaged, too large or a HEIC.
    """
    data = _read(path)
    try:
        opened = _opened(data, shown(path))
    except VideoError as error:
        if isinstance(error.__cause__, UnidentifiedImageError):
            return data
        raise
    with opened as image:
        is_ordinary = image.format in ("JPEG", "PNG") and image.mode in ("RGB", "L")
        is_small = max(image.size) <= LARGE and len(data) <= MOST_BYTES
        if is_ordinary and is_small and not _is_turned(image):
            return data
        target = io.BytesIO()
        _ordinary(image, shown(path)).save(target, "JPEG", quality=92)
    return target.getvalue()


def open_picture(path: str | Path) -> Image.Image:
    """The picture of a file as it is looked at: upright, in RGB, its longer side of 4,096 pixels at most.

    Raises VideoError, in one sentence, where there is none that can be read.
    """
    with _opened(_read(path), shown(path)) as image:
        return _ordinary(image, shown(path))


def _read(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise VideoError(
            f"There is no image file at {printable(path)}: check the path and its spelling."
        ) from error


def _opened(data: bytes, name: str) -> Image.Image:
    """A picture of which only the head has been read, which says its size and kind."""
    if not data:
        raise VideoError(f"{name} is empty (0 bytes): copy or download it again.")
    if data[4:8] == b"ftyp" and data[8:12] in HEIC_BRANDS:
        raise VideoError(
            f"{name} is a HEIC picture, which cannot be read here: export it as JPEG and name that."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            if data.startswith(b"\xff\xd8\xff"):  # of any size: it is made smaller while it is decoded
                return JpegImageFile(io.BytesIO(data))
            return Image.open(io.BytesIO(data))
    except Image.DecompressionBombError as error:
        raise VideoError(
            f"{name} is too large a picture to be opened: save it as JPEG, or smaller."
        ) from error
    except UnidentifiedImageError as error:
        raise VideoError(f"{name} is no picture that can be read: use a JPEG or PNG file.") from error
    except Exception as error:  # Pillow's readers raise whatever a damaged head makes them raise
        raise _broken(name) from error


def _ordinary(image: Image.Image, name: str) -> Image.Image:
    try:
        if max(image.size) > LARGE:
            image.draft("RGB", (SIDE, SIDE))  # a JPEG is decoded at a half, a quarter or an eighth
            image.thumbnail((SIDE, SIDE), Image.Resampling.BICUBIC, reducing_gap=2.0)
        image.load()
        upright = _upright(image)
        if upright.mode.startswith(("I", "F")):  # 16 bits or more: what converts it would only cut it off
            upright = _to_eight_bits(upright)
        if "A" in upright.getbands() or "transparency" in upright.info:
            solid = upright.convert("RGBA")
            upright = Image.alpha_composite(Image.new("RGBA", solid.size, "white"), solid)
        return upright.convert("RGB")
    except Exception as error:
        raise _broken(name) from error


def _is_turned(image: Image.Image) -> bool:
    """Whether EXIF data ask for the picture to be turned."""
    try:
        return bool(image.getexif().get(0x0112, 1) != 1)
    except Exception:  # EXIF data that mean nothing
        return False


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # EXIF data that mean nothing
        return image


def _to_eight_bits(image: Image.Image) -> Image.Image:
    values: Any = np.asarray(image, dtype=np.float64)
    low, high = float(values.min()), float(values.max())
    if image.mode.startswith("I"):  # black is 0, and white the most that 8 or 16 bits hold
        low, high = 0.0, 255.0 if high <= 255 else max(65535.0, high)
    return Image.fromarray(np.clip((values - low) / max(high - low, 1e-9) * 255, 0, 255).astype(np.uint8))


def _broken(name: str) -> VideoError:
    return VideoError(f"{name} is a damaged picture: open it in a viewer and save it again, as JPEG or PNG.")
