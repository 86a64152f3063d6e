"""The models by name: one table of what differs between them, so that nothing else has to know.

A model of the service that is new here is one more row of the table.
"""

from dataclasses import dataclass

from helpers.errors import SettingsError

OFFLINE_MODEL = "offline-512"
LIVE_MODEL = "marengo3.5"


@dataclass(frozen=True, kw_only=True)
class Model:
    """What the helpers know of a model; what it answers decides where the two differ.

    `temporal` is the dialect of Marengo 3.5: every query is a `multi_input`, and a segmentation stands inside
    `temporal`. Without it the model has an input type for each kind of query, and takes a segmentation bare.
    """

    name: str
    title: str  # as people write it
    temporal: bool
    input_types: tuple[str, ...]  # of queries
    options: tuple[str, ...]  # what it answers with by default
    dimensions: tuple[int, ...]  # numbers of a vector; the first is the default
    words: int  # of a query, at most; the service counts tokens, one a word at least
    query_seconds: float  # the longest clip that it takes as a query
    shortest_shot: float  # seconds, of dynamic segments where the request names no segmentation
    limits_as: str = ""  # the version whose documents name the limits, where there are none of its own
    price_unit: str = "minute"  # of video, what a price is for
    offline: bool = False  # it runs on this machine, and nothing is paid for


_TABLE = (
    Model(
        name=OFFLINE_MODEL,
        title="the offline model",
        temporal=True,
        input_types=("multi_input",),
        options=("visual", "description"),
        dimensions=(512,),
        words=1500,  # it reads 256 word pieces, and says so itself
        query_seconds=30.0,
        shortest_shot=2.0,
        offline=True,
    ),
    Model(
        name=LIVE_MODEL,
        title="Marengo 3.5",
        temporal=True,
        input_types=("multi_input",),
        options=("visual", "audio"),
        dimensions=(512, 256, 128),
        words=2000,
        query_seconds=30.0,
        shortest_shot=2.0,
        limits_as="3.0",
    ),
    Model(
        name="marengo3.0",
        title="Marengo 3.0",
        temporal=False,
        input_types=("text", "image", "text_image", "video", "multi_input"),
        options=("visual", "audio", "transcription"),
        dimensions=(512,),
        words=500,
        query_seconds=600.0,
        shortest_shot=4.0,
    ),
)
MODELS = {model.name: model for model in _TABLE}
# Models that nothing embeds with any more; collections may still hold their vectors.
RETIRED = ("offline-384",)


def model_facts(name: str) -> Model:
    """The row of a model; SettingsError for a name that the table does not have.

    Only what asks for something new comes here: a collection opens whatever model its rows name.
    """
    if not isinstance(name, str) or name not in MODELS:
        raise SettingsError(
            f"The model {name!r} is not known: use one of {', '.join(MODELS)}, or add a row for it to the table "
            "in helpers/models.py."
        )
    return MODELS[name]
