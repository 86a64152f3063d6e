"""models.py: a model that the table does not know is refused wherever its name comes in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from helpers.embed.client import connect_twelvelabs
from helpers.embed.embedding import cached_videos, embed_batch, embed_videos
from helpers.embed.estimate import estimate_cost
from helpers.embed.queries import embed_clip, embed_image, embed_text
from helpers.errors import SettingsError
from helpers.models import MODELS, model_facts
from helpers.settings import ROOT, load_settings
from helpers.videos.limits import check_limits, probe_videos, require_limits
from helpers.videos.media import probe
from helpers.videos.samples import sample_videos

CAT = ROOT / "data" / "videos" / "cat.mp4"
NEW = "marengo4.0"


def with_switch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    for name, value in (("TWELVE_LABS_API_KEY", "k"), ("TWELVE_LABS_MODEL", NEW)):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("VIDEO_SEARCH_MODE", raising=False)
    return load_settings()


def offline(action: Callable[..., Any], *args: Any) -> Callable[..., Any]:
    return lambda *_: action(connect_twelvelabs(), *args, model=NEW)


WAYS: dict[str, Callable[..., Any]] = {
    "the switch": with_switch,
    "words": offline(embed_text, "a cat"),
    "an image": offline(embed_image, ROOT / "data" / "images" / "cat-mirrored-grey.jpg"),
    "a clip": offline(embed_clip, CAT),
    "a video": offline(embed_videos, CAT),
    "a batch": offline(embed_batch, CAT),
    "what is cached": lambda *_: cached_videos(connect_twelvelabs(), sample_videos(), model=NEW),
    "an estimate": lambda *_: estimate_cost(sample_videos(), model=NEW),
    "limits": lambda *_: check_limits(probe(CAT), CAT, model=NEW),
    "limits before an upload": lambda *_: require_limits(CAT, model=NEW),
    "a look at videos": lambda *_: probe_videos(pd.DataFrame(sample_videos().head(1)), model=NEW),
}


@pytest.mark.parametrize("way", WAYS)
def test_an_unknown_model_is_refused_and_the_known_ones_named(
    way: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=r"'marengo4\.0' is not known: use one of .*helpers/models\.py"):
        WAYS[way](monkeypatch, tmp_path)


def test_each_row_stands_under_its_name_with_what_it_answers() -> None:
    for name, model in MODELS.items():
        assert model_facts(name) is model and model.name == name
        assert model.options[0] == "visual" and min(model.dimensions) > 0
        assert model.temporal == (model.input_types == ("multi_input",))
