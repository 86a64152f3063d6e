"""What embedding will cost, before it starts: minutes, requests, segments, disk, and money at the user's price."""

import math
import warnings
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from helpers.arguments import as_list, check_names, check_table, is_number
from helpers.embed.uploads import DIRECT_BYTES
from helpers.errors import SettingsError, VideoError, VideoSearchWarning
from helpers.models import Model, model_facts
from helpers.segmentation import Segmentation
from helpers.settings import load_settings
from helpers.videos.limits import require_limits
from helpers.videos.own import own_videos
from helpers.videos.samples import local_path

PART_BYTES = 10_485_760  # of an upload in parts, in the service's own example
COPIES = 3  # of each vector: in the cache, in Milvus Lite's data and in its index
ROW_BYTES = 3500  # of a segment's texts and of the files around it, measured with the samples


def estimate_cost(
    videos: pd.DataFrame | str | Path | Iterable[Any],
    *,
    segmentation: str = "fixed-6",
    options: Sequence[str] | None = None,
    model: str | None = None,
    price_per_minute: float | None = None,
    cached: Collection[str] | None = None,
    dimension: int | None = None,
) -> pd.DataFrame:
    """What it takes to embed the videos: one row each for the lines below, columns new, cached, note.

    `new` counts what is to be embedded, `cached` what the answers on disk save: the videos whose `video_id` is in
    `cached`. `model`, `options` and `dimension` are by default those of the settings and the model.

    A file that would not be sent, as it breaks a limit or cannot be read, is left out, with a warning.

    - videos: how many, each `video_id` once
    - minutes: sum of duration_sec / 60
    - requests: POSTs, which rate limits count: an upload and a task per video; a file above 200 MB goes in parts
      of 10 MiB, so ceil(bytes / 10 MiB) more. Looking for the answer comes on top
    - segments: fixed-S: sum of ceil(duration_sec / S) clips, dynamic-S as if all shots were as short as that, so
      at most; and one for each whole video
    - disk MB: segments x (options x dimension x 4 bytes x 3 copies + 3500 bytes) / 1e6: cache and Milvus Lite.
      The cached videos' part of the cache is there already
    - money: minutes x price_per_minute, in the currency of that price; NaN without a price

    An address has no known length: its minutes, segments, disk and money are not counted, as the notes say.
    Raises VideoError for an empty or incomplete table, EmbedError for an unknown segmentation, SettingsError for
    a model that is not known, a price or a dimension below zero.
    """
    facts = model_facts(load_settings().model if model is None else model)
    table = videos if isinstance(videos, pd.DataFrame) else own_videos(videos)
    cure, texts = "use the table of own_videos or sample_videos", ("video_id", "video_url")
    check_table(table, VideoError, what="videos", cure=cure, texts=texts, numbers=["duration_sec"])
    table = table.drop_duplicates("video_id")
    if table.empty:
        raise VideoError("There is no video to estimate: the table is empty.")
    for name, value in (("price_per_minute", price_per_minute), ("dimension", dimension)):
        if value is not None and not (is_number(value) and math.isfinite(value) and value >= 0):
            raise SettingsError(f"{name}={value!r} means nothing: give a number that is not below zero.")
    check_names(SettingsError, options=options, cached=cached)
    cut = Segmentation.parse(segmentation)
    names = tuple([] if options is None else as_list(options)) or facts.options
    size = dimension or facts.dimensions[0]
    known = table["video_id"].isin([] if cached is None else as_list(cached))
    refused = ~known & table["video_url"].map(lambda url: _is_refused(url, facts))
    if count := int(refused.sum()):
        warnings.warn(
            f"{count} of {len(table)} videos would be refused and cost nothing, so they are left out of the "
            "estimate: probe_videos says why.",
            VideoSearchWarning,
            stacklevel=2,
        )
    parts = {"new": table[~known & ~refused], "cached": table[known]}
    lines = {column: _amounts(part, cut.seconds, len(names), size) for column, part in parts.items()}
    result = pd.DataFrame(lines, index=["videos", "minutes", "requests", "segments", "disk MB"], dtype=float)
    result.loc["requests", "cached"] = 0.0
    result.loc["money"] = result.loc["minutes"] * (math.nan if price_per_minute is None else price_per_minute)
    result.loc["money", "cached"] = 0.0
    result["note"] = _notes(parts["new"], facts, cut, names, size, price_per_minute)
    return result.round(2)


def _amounts(table: pd.DataFrame, step: float, options: int, dimension: int) -> list[float]:
    """Videos, minutes, requests, segments and MB of disk, as the docstring above says."""
    seconds = table["duration_sec"].dropna()
    segments = sum(max(1, math.ceil(s / step - 1e-9)) + 1 for s in seconds)
    disk = segments * (options * dimension * 4 * COPIES + ROW_BYTES) / 1e6
    requests = sum(map(_requests, table["video_url"]))
    return [len(table), seconds.sum() / 60, requests, segments, disk]


def _is_refused(video_url: str, model: Model) -> bool:
    """Whether a file of this machine would not be sent; of what is not here nothing is known."""
    path = local_path(video_url)
    if path is None or not path.exists():
        return False
    try:
        require_limits(path, model=model.name)
    except VideoError:
        return True
    return False


def _requests(video_url: str) -> int:
    path = local_path(video_url)
    size = path.stat().st_size if path and path.is_file() else 0
    return 2 + (math.ceil(size / PART_BYTES) if size > DIRECT_BYTES else 0)


def _notes(
    new: pd.DataFrame,
    model: Model,
    cut: Segmentation,
    options: Sequence[str],
    dimension: int,
    price: float | None,
) -> dict[str, str]:
    unknown = int(new["duration_sec"].isna().sum())
    open_end = f"; {unknown} of unknown length not counted" if unknown else ""
    offline = model.offline
    nothing = "unknown: pass price_per_minute=, as your plan says" + (" for live" if offline else "")
    length = "at most, by shot" if cut.strategy == "dynamic" else f"of {cut.seconds:g} s"
    return {
        "videos": f"{model.name}: "
        + ("nothing leaves this machine" if offline else "each is sent to the service"),
        "minutes": f"of video{open_end}",
        "requests": "answered on this machine" if offline else "uploads and tasks; polls come on top",
        "segments": f"{length}, and each whole video{open_end}",
        "disk MB": f"{' + '.join(options)}, {dimension} numbers each, in cache and collection{open_end}",
        "money": f"at your {price:g} a {model.price_unit}{open_end}" if price is not None else nothing,
    }
