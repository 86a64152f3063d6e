"""Videos as assets of the service: uploaded once, used again, deleted when you say so.

An upload is known by its content: on the wire a file is called by its digest, so that an upload whose answer
was lost is found again, and the file's own name stays at home.
"""

import os
import threading
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from tqdm.auto import tqdm
from twelvelabs import TwelveLabs
from twelvelabs.core.api_error import ApiError
from twelvelabs.types import AssetDetail, CompletedChunk

from helpers.embed.client import call, http_client, service_of, settings_of
from helpers.embed.journal import Journal
from helpers.errors import EmbedError, VideoError
from helpers.files import cache_key
from helpers.settings import is_local

DIRECT_BYTES = 200_000_000  # the documented limit of one POST; above it a file goes in parts


BAR_BYTES = 20_000_000  # from this size an upload shows its own progress bar


Source = Path | str  # a local file, or an http(s) address that the service fetches itself


def upload(
    client: TwelveLabs,
    source: Source,
    *,
    digest: str,
    journal: Journal | None = None,
    deadline: float = 1800,
    stop: threading.Event | None = None,
) -> str:
    """The asset id of a video: of the upload that is there already, or of a new one.

    `digest` is the sha256 of the content (of the address for a URL). Files above 200 MB go in parts.
    Raises EmbedError if the upload fails, or takes longer than `deadline` seconds.
    """
    key, limits = _key(client, digest), {"deadline": deadline, "stop": stop}
    entry = journal.read(key) if journal else {}
    name = f"{digest[:16]}{Path(source).suffix.lower() if isinstance(source, Path) else ''}"
    if entry and (known := _known(client, entry, name, limits)):
        asset_id = known
    else:
        if journal:
            now = datetime.now(UTC).isoformat()
            journal.write(key, intent=now, filename=name, service=service_of(client))
        asset_id = _send(client, source, name, limits)
    if journal:
        made = datetime.now(UTC).isoformat()
        journal.write(key, id=asset_id, filename=name, service=service_of(client), created=made)
    return asset_id


def _key(client: TwelveLabs, digest: str) -> str:
    return "asset-" + cache_key(content=digest, **service_of(client))[:32]


def _known(client: TwelveLabs, entry: dict[str, Any], name: str, limits: dict[str, Any]) -> str | None:
    """The id of an upload that is there and good; a lost one is looked for by its name on the wire."""
    if asset_id := entry.get("id"):
        try:
            asset = call(lambda: client.assets.retrieve(asset_id), "look for an upload", **limits)
        except EmbedError as error:
            if error.status == 404:  # deleted, or of another account
                return None
            raise
        return str(asset_id) if asset.status in ("ready", "processing") else None
    listed = call(partial(_listed, client, name), "look for a lost upload", **limits)
    good = [asset.id for asset in listed if asset.status in ("ready", "processing")]
    return good[0] if good else None


def _listed(client: TwelveLabs, name: str) -> list[AssetDetail]:
    """The uploads of this name on the wire: the service's own filter finds parts of names as well."""
    return [a for a in client.assets.list(filename=name, page_limit=50) if a.filename == name and a.id]


def _send(client: TwelveLabs, source: Source, name: str, limits: dict[str, Any]) -> str:
    what = f"upload {source.name}" if isinstance(source, Path) else "hand over the address of a video"
    if isinstance(source, str):
        made = call(lambda: client.assets.create(method="url", url=source, filename=name), what, **limits)
        return _id(made, what)
    try:
        if (size := source.stat().st_size) > DIRECT_BYTES:
            return _send_parts(client, source, name, size, what, limits)
        return _send_whole(client, source, name, size, what, limits)
    except OSError as error:
        raise VideoError(
            f"{source.name} could not be read to its end ({error.strerror}): is it moved?"
        ) from None


def _send_whole(
    client: TwelveLabs, source: Path, name: str, size: int, what: str, limits: dict[str, Any]
) -> str:

    def send() -> Any:
        with open(source, "rb") as file, tqdm.wrapattr(file, "read", **_bar(source, size)) as watched:
            return client.assets.create(method="direct", file=(name, watched, "video/mp4"))

    return _id(call(send, what, **limits), what)


def _id(asset: Any, what: str) -> str:
    if not asset.id:
        raise EmbedError(f"Could not {what}: the service gave the upload no id, so run the cell again.")
    return str(asset.id)


def _bar(source: Path, size: int) -> dict[str, Any]:
    quiet = size < BAR_BYTES or os.environ.get("VIDEO_SEARCH_PROGRESS") == "plain"
    return {"total": size, "desc": f"uploading {source.name}", "disable": quiet, "leave": False}


def _send_parts(
    client: TwelveLabs, source: Path, name: str, size: int, what: str, limits: dict[str, Any]
) -> str:
    """Upload in parts, each read from where it lies in the file.

    The SDK's `upload_file` first writes all parts into a folder beside the source, which takes its size again
    on disk, fails where that folder is read-only, and begins anew when one part fails for good.
    """
    parts = client.multipart_upload
    session = call(lambda: parts.create(filename=name, type="video", total_size=size), what, **limits)
    if not (session.upload_id and session.chunk_size and session.asset_id):
        raise EmbedError(f"Could not {what}: the service opened no upload in parts, so run the cell again.")
    upload_id, length = session.upload_id, session.chunk_size
    urls = {u.chunk_index: u.url for u in session.upload_urls or []}
    bar = {**_bar(source, size), "unit": "B", "unit_scale": True}
    local = is_local(settings_of(client).base_url)
    with open(source, "rb") as file, http_client(local=local) as http, tqdm(**bar) as progress:
        for index in range(1, -(-size // length) + 1):
            file.seek((index - 1) * length)
            data = file.read(length)
            tag = ""
            for fresh in (False, True):  # an address is good for an hour, and once
                if fresh or index not in urls:
                    ask = partial(parts.get_additional_presigned_urls, upload_id, start=index, count=10)
                    urls |= {u.chunk_index: u.url for u in call(ask, what, **limits).upload_urls or []}
                try:
                    tag = call(partial(_put, http, urls.get(index) or "", data), what, **limits)
                    break
                except EmbedError as error:
                    if fresh or error.status not in (400, 403, 404, 410):
                        raise EmbedError(f"{str(error).rstrip('.')}, in part {index}.") from None
            chunk = CompletedChunk(chunk_index=index, proof=tag, proof_type="etag", chunk_size=len(data))
            call(partial(parts.report_chunk_batch, upload_id, completed_chunks=[chunk]), what, **limits)
            progress.update(len(data))
    return str(session.asset_id)


def _put(http: httpx.Client, url: str, data: bytes) -> str:
    answer = http.put(url, content=data, headers={"content-type": "application/octet-stream"})
    if not answer.is_success:
        raise ApiError(status_code=answer.status_code, headers=dict(answer.headers), body=None)
    return str(answer.headers.get("etag", "")).strip('"')


def delete_uploads(client: TwelveLabs, *, home: Path | None = None) -> int:
    """Delete from the service the videos that this machine uploaded, and return how many there were.

    The segments stay: they are on your disk. Other uploads of the account are not touched.
    """
    journal = Journal((home or settings_of(client).home) / "journal")
    deleted = 0
    for key, entry in journal.entries().items():
        if not key.startswith("asset-") or entry.get("service", {}) != service_of(client):
            continue
        name = entry.get("filename", "")
        listed = call(partial(_listed, client, name), "list uploads")
        ids = {asset.id for asset in listed} | {entry.get("id")}
        for asset_id in filter(None, ids):
            try:
                call(partial(client.assets.delete, asset_id), "delete an upload")
                deleted += 1
            except EmbedError as error:
                if error.status != 404:  # gone already
                    raise
        journal.forget(key)
    return deleted
