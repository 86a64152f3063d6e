"""Imported by the process that kernels are forked from: the helpers, and what is found out about the samples' files."""

from contextlib import suppress

from PIL import Image

import helpers
from helpers.errors import DataError
from helpers.settings import ROOT
from helpers.standin.assets import look
from helpers.videos.clock import clock_of

for name in dir(helpers):
    getattr(helpers, name)  # loaded when it is first used
Image.init()
with suppress(DataError):  # a notebook says it, if it needs them
    for url in helpers.sample_videos()["video_url"]:
        clock_of(ROOT / url)
        with open(ROOT / url, "rb") as file:
            look(file, url)
