"""Pictures in notebook outputs, compared by their pixels: as image/png or image/jpeg, and as data URIs in text.

Two machines may round an edge of a figure, or the colour of a video frame, a level or two apart; a changed
figure moves at least a few pixels by a lot, or many by some. Hence the three limits.
"""

import base64
import binascii
import io
import re
from typing import Any
from urllib.parse import unquote_to_bytes

import numpy as np
from PIL import Image, UnidentifiedImageError

CHANGED_LEVELS = 16  # of 255: a pixel further off than this in any channel has changed
CHANGED_PIXELS = 4  # so many changed pixels are still the same picture
MEAN_LEVELS = 2.5  # of 255: how far a picture may be off on average, per pixel and channel

PICTURES = ("image/png", "image/jpeg")
DATA_URI = re.compile(r"data:(?P<mime>[\w.+-]+/[\w.+-]+)(?P<params>(?:;[\w=.-]+)*),(?P<payload>[^\"'\s)<>]*)")

Bundle = dict[str, object]


def decode(content: bytes) -> np.ndarray:
    """Pixels as (height, width, 4) int16; transparency counts. Raises ValueError for what is no picture."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            return np.asarray(picture.convert("RGBA")).astype(np.int16)
    except (UnidentifiedImageError, OSError) as error:
        raise ValueError("not a picture") from error


def difference(reference: bytes, fresh: bytes) -> str:
    """ "" when both are the same picture within the limits, else one sentence."""
    if reference == fresh:
        return ""
    try:
        before, now = decode(reference), decode(fresh)
    except ValueError:
        return "one of the two cannot be read as a picture"
    if before.shape != now.shape:
        sizes = [f"{a.shape[1]}x{a.shape[0]}" for a in (before, now)]
        return f"the picture was {sizes[0]} pixels and is {sizes[1]} now"
    off = np.abs(before - now)
    changed, mean = int((off.max(axis=2) > CHANGED_LEVELS).sum()), float(off.mean())
    if changed > CHANGED_PIXELS or mean > MEAN_LEVELS:
        return f"{changed} pixels changed, {mean:.2f} levels off on average"
    return ""


def _content(uri: re.Match[str]) -> bytes:
    if not uri["params"].endswith(";base64"):
        return unquote_to_bytes(uri["payload"])
    try:
        return base64.b64decode(uri["payload"])
    except binascii.Error:
        return b""


def _uris(text: str) -> list[re.Match[str]]:
    return list(DATA_URI.finditer(text))


def _same_text(reference: str, fresh: str, where: str) -> tuple[str, list[str]]:
    """`fresh` with the reference's bytes for each data URI that is the same; and what differs."""
    before, now = _uris(reference), _uris(fresh)
    if len(before) != len(now):
        return fresh, [f"{where}: {len(before)} data URIs before, {len(now)} now"]
    parts, end, problems = [], 0, []
    for number, (old, new) in enumerate(zip(before, now, strict=True), start=1):
        parts += [fresh[end : new.start()]]
        end = new.end()
        if old["mime"] != new["mime"]:
            reason = f"was {old['mime']}, is {new['mime']}"
        elif old["mime"].startswith("image/") and old["mime"] != "image/svg+xml":
            reason = difference(_content(old), _content(new))
        else:
            reason = "" if _content(old) == _content(new) else "its bytes changed"
        parts += [new.group() if reason else old.group()]
        if reason:
            problems.append(f"{where}, data URI {number}: {reason}")
    return "".join(parts) + fresh[end:], problems


def _same(mime: str, reference: object, fresh: object) -> tuple[object, list[str]]:
    if not isinstance(reference, str) or not isinstance(fresh, str) or reference == fresh:
        return fresh, []
    if mime in PICTURES:
        try:
            reason = difference(base64.b64decode(reference), base64.b64decode(fresh))
        except binascii.Error:
            reason = "it is not base64"
        return (fresh, [f"{mime}: {reason}"]) if reason else (reference, [])
    return _same_text(reference, fresh, mime)


def _bundles(outputs: list[Any]) -> list[tuple[Bundle, str]]:
    """What holds text or pictures, in order: the data of rich outputs, and streams under their name."""
    found: list[tuple[Bundle, str]] = []
    for output in outputs:
        if "data" in output:
            found += [(output["data"], mime) for mime in output["data"]]
        elif output["output_type"] == "stream":
            found.append((output, "text"))
    return found


def settle(reference: list[Any], fresh: list[Any]) -> list[str]:
    """Put the reference's pictures into the fresh outputs of a cell where both look the same.

    The n-th value of a MIME type is compared with the n-th of the reference, as nbval does. What is left
    different is returned as sentences; `fresh` (notebook outputs) is changed in place.
    """
    problems = []
    old, new = _bundles(reference), _bundles(fresh)
    for kind in dict.fromkeys([key for _, key in old] + [key for _, key in new]):
        before = [bundle[key] for bundle, key in old if key == kind]
        now = [bundle for bundle, key in new if key == kind]
        if len(before) != len(now) and kind in PICTURES:
            problems.append(f"{kind}: {len(before)} before, {len(now)} now")
        for value, bundle in zip(before, now, strict=False):
            bundle[kind], found = _same(kind, value, bundle[kind])
            problems += found
    return problems
