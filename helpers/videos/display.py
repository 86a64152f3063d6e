"""A picture as a player shows it: turned and mirrored, in its shape, without the comb of interlaced lines."""

import functools
import struct
import threading
from fractions import Fraction
from typing import Any, NamedTuple

import av
import numpy as np
from av.filter import Graph
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray
from PIL import Image

HDR = {16, 18}  # transfers of light, as ITU-T H.273 numbers them: PQ and HLG
BT709 = 1  # its number for the transfer and the primaries of ordinary video
FULL_RANGE = int(av.video.reformatter.ColorRange.JPEG)
TURNS = {  # where (right, down) of the stored picture point to, as signs, and what Pillow calls that
    ((1, 0), (0, 1)): None,
    ((-1, 0), (0, 1)): Image.Transpose.FLIP_LEFT_RIGHT,
    ((1, 0), (0, -1)): Image.Transpose.FLIP_TOP_BOTTOM,
    ((-1, 0), (0, -1)): Image.Transpose.ROTATE_180,
    ((0, 1), (-1, 0)): Image.Transpose.ROTATE_270,
    ((0, -1), (1, 0)): Image.Transpose.ROTATE_90,
    ((0, 1), (1, 0)): Image.Transpose.TRANSPOSE,
    ((0, -1), (-1, 0)): Image.Transpose.TRANSVERSE,
}
SIDEWAYS = [
    turn for (right, _), turn in TURNS.items() if right[0] == 0
]  # those that make width out of height


class Picture(NamedTuple):
    """A decoded picture and how it is shown: `second` on the time axis, `shape` of a pixel (width / height)."""

    second: float
    frame: av.VideoFrame
    shape: Fraction = Fraction(1)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as they are shown, in square pixels; no side is smaller than it is stored."""
        width, height, shape = self.frame.width, self.frame.height, self.shape
        size = (round(width * shape), height) if shape > 1 else (width, round(height / shape))
        return size[::-1] if self.turn in SIDEWAYS else size

    @property
    def turn(self) -> Image.Transpose | None:
        """What turns the stored picture upright; None where nothing has to be done."""
        matrix: Any = self.frame.side_data.get("DISPLAYMATRIX")
        return _turn(bytes(matrix)) if matrix is not None else None

    @property
    def is_plain(self) -> bool:
        """Whether it is shown as it is stored, with black at 16 and white at 235."""
        is_full = self.frame.color_range == FULL_RANGE or self.frame.format.name.startswith("yuvj")
        is_odd = self.frame.interlaced_frame or self.frame.color_trc in HDR
        return self.shape == 1 and self.turn is None and not is_odd and not is_full

    def image(self, size: tuple[int, int] | None = None) -> Image.Image:
        """The picture as it is shown, in RGB, at `size` pixels or its own size."""
        frame = _without_comb(self.frame) if self.frame.interlaced_frame else self.frame
        image = Image.fromarray(_rgb(frame))
        image = image if self.turn is None else image.transpose(self.turn)
        wanted = size or self.size
        return image if image.size == wanted else image.resize(wanted, Image.Resampling.LANCZOS)

    def small(self, width: int, height: int) -> av.VideoFrame:
        """The picture as it is shown, at a size, in the pixels that every browser plays."""
        if self.is_plain:
            return self.frame.reformat(width=width, height=height, format="yuv420p")
        pixels = np.asarray(self.image((width, height)))
        return av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")


@functools.lru_cache(maxsize=64)
def _turn(matrix: bytes) -> Image.Transpose | None:
    """The turn of a display matrix (ISO/IEC 14496-12, 6.2.2), to the nearest quarter, as browsers take it."""
    a, b, _, c, d, *_ = struct.unpack("=9i", matrix)

    def toward(x: int, y: int) -> tuple[int, int]:
        return ((x > 0) - (x < 0), 0) if abs(x) >= abs(y) else (0, (y > 0) - (y < 0))

    return TURNS.get((toward(a, b), toward(c, d)))


def _rgb(frame: av.VideoFrame) -> NDArray[Any]:
    """The pixels (height, width, 3) as a screen of ordinary brightness shows them, those of HDR video too."""
    if frame.color_trc not in HDR:
        return frame.to_ndarray(format="rgb24")
    kind = (frame.width, frame.height, frame.format.name, frame.color_trc, frame.color_primaries)
    with _converting:
        toned = _converter(*kind, frame.colorspace, frame.color_range)
        shown = toned.reformat(frame, format="rgb24", dst_color_trc=BT709, dst_color_primaries=BT709)
    return shown.to_ndarray()


_converting = threading.Lock()


@functools.lru_cache(maxsize=8)
def _converter(*kind: object) -> VideoReformatter:
    """What converts pictures of a kind: it is kept, as its table of colours takes seconds to be made."""
    return VideoReformatter()


def _without_comb(frame: av.VideoFrame) -> av.VideoFrame:
    """One of the two fields of an interlaced picture, with the lines between its own filled in."""
    graph = Graph()
    base = frame.time_base or Fraction(1, 1000)
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=base, name="in"
    )
    graph.link_nodes(source, graph.add("yadif", "mode=send_frame:deint=all"), graph.add("buffersink"))
    graph.configure()
    graph.vpush(frame)
    graph.vpush(None)
    return graph.vpull()
