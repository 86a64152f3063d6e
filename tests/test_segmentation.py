"""segmentation.py: one grammar, on the wire of both dialects and on the clock."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.errors import EmbedError, VideoError
from helpers.models import MODELS
from helpers.segmentation import Segmentation

NEWER, OLDER = MODELS["marengo3.5"], MODELS["marengo3.0"]


@pytest.mark.parametrize("text", ["fixed-6", "fixed-2.5", "dynamic-4"])
def test_a_segmentation_comes_back_as_it_was_written(text: str) -> None:
    cut = Segmentation.parse(text)
    assert str(cut) == text
    for model in (NEWER, OLDER):
        assert Segmentation.from_request(cut.request(model), model) == cut


def test_each_dialect_has_its_wire_form() -> None:
    bare = {"strategy": "fixed", "fixed": {"duration_sec": 6}}
    assert Segmentation.parse("fixed-6").request(OLDER) == bare
    assert Segmentation.parse("fixed-6").request(NEWER) == {"temporal": bare}
    assert [str(Segmentation.from_request(None, model)) for model in (NEWER, OLDER)] == [
        "dynamic-2",
        "dynamic-4",
    ]


@pytest.mark.parametrize("segmentation", ["fixed-20", "dynamic-6", "fixed-", "scenes-3", "fixed-nan", ""])
def test_segmentations_that_nobody_offers(segmentation: str) -> None:
    with pytest.raises(EmbedError, match="is not known: write fixed-2 to fixed-10"):
        Segmentation.parse(segmentation)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"strategy": "fixed", "fixed": {"duration_sec": 6}}, "inside segmentation.temporal"),
        ({"temporal": {"strategy": "fixed", "fixed": {"duration_sec": 1}}}, "duration_sec 2 to 10"),
        ({"temporal": {"strategy": "fixed"}}, "duration_sec 2 to 10"),
        ({"temporal": {"strategy": "dynamic", "dynamic": {"min_duration_sec": "long"}}}, "2 to 5"),
        ({"temporal": {"strategy": "shots", "shots": {}}}, "strategy is fixed"),
    ],
)
def test_requests_that_mean_nothing(given: dict[str, Any], words: str) -> None:
    with pytest.raises(EmbedError, match=words) as refused:
        Segmentation.from_request(given, NEWER)
    assert refused.value.status == 400


durations = st.floats(0.04, 5000, allow_nan=False)


def lengths(bounds: list[tuple[float, float]], duration: float) -> list[float]:
    """The lengths of segments, once it is clear that they cover the film without gap or overlap."""
    assert bounds[0][0] == 0 and bounds[-1][1] == round(duration, 3)
    assert all(a[1] == b[0] for a, b in itertools.pairwise(bounds))
    return [end - start for start, end in bounds]


@pytest.mark.slow
@given(duration=durations, seconds=st.floats(2, 10))
def test_fixed_segments(duration: float, seconds: float) -> None:
    *before, last = lengths(Segmentation("fixed", seconds).bounds(duration), duration)
    assert before == pytest.approx([seconds] * len(before), abs=0.0021)
    assert 0.49 < last < seconds + 0.51 or not before


@given(duration=durations, seconds=st.floats(2, 5), data=st.data())
def test_dynamic_segments(duration: float, seconds: float, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.floats(-1, duration + 1), max_size=40))
    bounds = Segmentation("dynamic", seconds).bounds(duration, cuts=cuts)
    found = lengths(bounds, duration)
    assert all(length <= 10.002 for length in found)
    assert all(length >= seconds - 0.002 for length in found) or len(found) == 1


def test_segments_by_example() -> None:
    fixed, dynamic = Segmentation("fixed", 6), Segmentation("dynamic", 4)
    assert fixed.bounds(12.4) == [(0, 6), (6, 12.4)]
    assert fixed.bounds(12.5) == [(0, 6), (6, 12), (12, 12.5)]
    assert fixed.bounds(3.0) == [(0, 3)]
    assert dynamic.bounds(24) == [(0, 8), (8, 16), (16, 24)]
    assert dynamic.bounds(20, cuts=[1, 7, 9, 19]) == [(0, 7), (7, 13.5), (13.5, 20)]


@pytest.mark.parametrize(
    ("strategy", "seconds"),
    [("fixed", 1), ("fixed", 11), ("dynamic", 6), ("fixed", float("nan")), ("shots", 4)],
)
def test_segmentations_that_the_api_refuses(strategy: str, seconds: float) -> None:
    with pytest.raises(EmbedError) as error:
        Segmentation(strategy, seconds)
    assert error.value.status == 400


@pytest.mark.parametrize("duration", [0, -1, float("nan"), float("inf")])
def test_a_film_without_length_has_no_segments(duration: float) -> None:
    with pytest.raises(VideoError):
        Segmentation("fixed", 6).bounds(duration)
