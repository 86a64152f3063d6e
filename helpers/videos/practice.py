"""Stand-ins for a folder of one's own: sample videos under a camera's names, for notebook 10."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from helpers.errors import SettingsError
from helpers.files import write_file
from helpers.settings import Settings, check_settings

EMPTY_BOX = b"\0\0\0\x08free"  # players skip it, and with it a file is one that no catalogue knows
TRACK = """WEBVTT

00:00.000 --> 00:12.000
A cup of coffee on the breakfast table.

00:12.000 --> 00:21.000
The silver spoon that grandmother gave us.
"""


def practice_videos(settings: Settings, *, one_more: bool = False) -> Path:
    """Make a folder of three videos as if they were your own, and return it; with `one_more` it gets a fourth.

    IMG_0412 is a copy of a sample, the others are no file that a catalogue knows, and `breakfast` has a description
    track. Beside the folder lies IMG_0414.mp4, eight black seconds that are too small for the service.
    """
    check_settings(settings, SettingsError)
    folder = settings.home / "practice-videos"
    samples = {"IMG_0412": "cat", "IMG_0413": "photographer", "breakfast": "coffee"}
    samples |= {"IMG_0415": "rocket"} if one_more else {}
    for own, sample in samples.items():
        film = (settings.data / "videos" / f"{sample}.mp4").read_bytes()
        write_file(folder / f"{own}.mp4", film if sample == "cat" else film + EMPTY_BOX, durable=False)
    write_file(folder / "breakfast.vtt", TRACK.encode(), durable=False)
    _too_small(folder.parent / "IMG_0414.mp4")
    return folder


def _too_small(path: Path) -> None:
    with av.open(str(path), "w") as phone:
        stream = phone.add_stream("libx264", rate=Fraction(5))
        stream.width, stream.height = 320, 240
        black = np.zeros((240, 320, 3), np.uint8)
        for _ in range(40):
            phone.mux(stream.encode(av.VideoFrame.from_ndarray(black, format="rgb24")))
        phone.mux(stream.encode())
