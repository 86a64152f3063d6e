"""Open and close Milvus, a server or a Milvus Lite folder, and name one's own collections."""

import hashlib
import logging
import os
import re
from contextlib import nullcontext
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
from pymilvus import MilvusClient, MilvusException

from helpers.arguments import check_table
from helpers.errors import StoreError
from helpers.settings import Settings, check_settings, is_http_address, is_local
from helpers.store import lite
from helpers.store.calls import UNREAD_INDEX, Client, folder_opened
from helpers.store.errors import FAILURES, NO_ANSWER, TOO_LATE, milvus_errors, reason_of, timed_call

SAMPLES = "data/videos"  # where the samples lie, as their video_url says
NAME = re.compile(r"[A-Za-z_]\w{0,254}", flags=re.ASCII)  # of a collection

# A connection of its own for each client: pymilvus hands out a shared one even when it is dead, and gRPC lets
# all channels to one address wait together, up to two minutes, before it looks whether a server is back.
CHANNEL = {"grpc.use_local_subchannel_pool": 1}
# Milvus Lite takes no pings, which pymilvus sends every 10 s: after a while it prints GOAWAY, and it cuts a call
# that runs for minutes, which is then made again.
NO_PINGS = {"grpc.keepalive_time_ms": 2**31 - 1}
NO_PROXY = {"grpc.enable_http_proxy": 0}  # for this machine, whatever http_proxy says


def connect_milvus(settings: Settings) -> MilvusClient:
    """Open the Milvus that the settings name: a Milvus Lite folder (`….db`) or a server (http or https).

    Every call of the client has a deadline and leaves a record in the log. Raises StoreError for a server that
    does not answer, and for a folder that cannot be used.
    """
    check_settings(settings, StoreError)
    for name in ("pymilvus", "pymilvus.milvus_client"):  # they print a page for each error, even a caught one
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if "://" in settings.milvus_uri:
        return _connect_server(settings)
    path = lite.folder_path(settings)
    with folder_opened(path, settings.milvus_uri):
        client = Client(str(path), CHANNEL | NO_PINGS | NO_PROXY)
    client.open_folder(path)
    return client


def _connect_server(settings: Settings) -> Client:
    uri, token = settings.milvus_uri, settings.milvus_token
    address = _address(uri)
    local = is_local(uri)
    try:
        with timed_call("milvus.connect"):
            client = Client(uri, CHANNEL | NO_PINGS | NO_PROXY if local else CHANNEL, token=token)
            if not local and is_lite(client):
                client.close()
                client = Client(uri, CHANNEL | NO_PINGS, token=token)
    except FAILURES as error:
        reason = "" if reason_of(error) in (NO_ANSWER, TOO_LATE) else f" ({reason_of(error)})"
        raise StoreError(
            f"Check MILVUS_URI and MILVUS_TOKEN, or start Milvus at {address}, as it did not answer{reason}."
        ) from error
    return client


def version_of(milvus: MilvusClient) -> str:
    """What answers, as Milvus calls it: "milvus_lite-3.2.2", or a server's "v2.6.9"."""
    return str(milvus.version if hasattr(milvus, "version") else milvus.get_server_version())


def is_lite(milvus: MilvusClient) -> bool:
    """Whether Milvus Lite answers, from a folder or as a server."""
    return version_of(milvus).startswith("milvus_lite")


def is_before(milvus: MilvusClient, *version: int) -> bool:
    """Whether a server older than this answers. No for Milvus Lite, and for a version without numbers."""
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", version_of(milvus))
    if found is None or is_lite(milvus):
        return False
    return tuple(int(number or 0) for number in found.groups()) < version


def _address(uri: str) -> str:
    """Host and port of a server, without user and password; StoreError if they are none."""
    if not is_http_address(uri):
        shown = uri.rpartition("@")[2]  # without user and password, whatever these hold
        raise StoreError(f"MILVUS_URI names no server ({shown}): write it as http://localhost:19530.")
    return urlsplit(uri).netloc.rpartition("@")[2]


def disconnect_milvus(milvus: MilvusClient, settings: Settings) -> None:
    """Close the client, and free a Milvus Lite folder: only then may others open it, or you delete it."""
    check_settings(settings, StoreError)
    if not hasattr(milvus, "close"):
        raise StoreError(
            f"What is to be closed is a {type(milvus).__name__}: give what connect_milvus returned."
        )
    milvus.close()
    if "://" not in settings.milvus_uri:
        lite.release_folder(lite.folder_path(settings))


def collection_name(settings: Settings, name: str | pd.DataFrame) -> str:
    """The name of your own collection: with your prefix in front, where there is one (on a shared server).

    Of a table of videos or segments it is that of their corpus: "videos" for the samples, and for other videos
    "own_" with the name and a digest of the folder that holds them all. So one corpus never lands in another's
    collection, and a folder to which a video is added keeps its own.
    """
    check_settings(settings, StoreError)
    if isinstance(name, pd.DataFrame):
        name = _corpus(name)
    elif not isinstance(name, str):
        raise StoreError(
            f"The name of the collection is a {type(name).__name__}: give a text, such as 'videos', or a table "
            "of videos."
        )
    return name if name.startswith(settings.prefix) else settings.prefix + name


def _corpus(videos: pd.DataFrame) -> str:
    cure = "give the table of sample_videos, own_videos or embed_videos"
    check_table(videos, StoreError, what="videos", cure=cure, texts=["video_url"])
    places = sorted({url.rpartition("/")[0] for url in videos["video_url"]})
    if set(places) <= {SAMPLES}:
        return "videos"
    paths = all(place.startswith("/") for place in places)
    folder = os.path.commonpath(places) if paths else "\n".join(places)
    word = re.sub(r"[\W_]+", "_", folder.rpartition("/")[2], flags=re.ASCII)[:40].strip("_")
    return "_".join(filter(None, ["own", word, hashlib.sha256(folder.encode()).hexdigest()[:6]]))


def drop_collection(milvus: MilvusClient, name: str, *, settings: Settings) -> None:
    """Drop your own collection `name` and all its rows; one with another prefix cannot be named this way.

    All or nothing on Milvus Lite too: a drop that a kill interrupted is completed by the next connect_milvus.
    """
    check_client(milvus, name)
    full, folder = collection_name(settings, name), lite_folder(milvus)
    marked = lite.marked_as_dropping(folder, full) if folder and NAME.fullmatch(full) else nullcontext()
    with milvus_errors(f"The collection {name!r} was not dropped"), marked:
        milvus.drop_collection(full)


def check_client(milvus: object, name: object) -> None:
    """StoreError unless these are a client and the name of a collection, in this order."""
    if not hasattr(milvus, "upsert") or not isinstance(name, str):
        raise StoreError(
            f"Milvus and the name of the collection come first, not a {type(milvus).__name__} and a "
            f"{type(name).__name__}: give what connect_milvus returned, then a name."
        )


def lite_folder(milvus: MilvusClient) -> Path | None:
    """The folder of a Milvus Lite that connect_milvus opened; None for a server."""
    return milvus.folder if isinstance(milvus, Client) else None


def load(milvus: MilvusClient, name: str) -> None:
    """Load a collection; index files that a kill or a full disk cut short are made anew from its rows."""
    try:
        milvus.load_collection(name)
    except MilvusException as error:
        if folder := lite_folder(milvus):
            if not lite.remove_indexes(folder, name):
                raise
        elif is_lite(milvus) and UNREAD_INDEX.search(str(error)):
            _remake_indexes(milvus, name)
        else:
            raise
        milvus.load_collection(name)


def _remake_indexes(milvus: MilvusClient, name: str) -> None:
    """Have a Milvus Lite server, whose files lie elsewhere, forget the files of its indexes and make them anew."""
    for field in milvus.list_indexes(name):
        about = milvus.describe_index(name, field)
        indexes = milvus.prepare_index_params()
        nested = {"params": about["params"]} if about.get("params") else {}
        kinds = {key: about[key] for key in ("index_type", "metric_type")}
        indexes.add_index(about["field_name"], params=nested, **kinds)
        milvus.release_collection(name)  # somebody else may have loaded it meanwhile
        milvus.drop_index(name, field)
        milvus.create_index(name, indexes, sync=False)
