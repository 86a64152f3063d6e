"""A large file as an asset of the service, in parts."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from tqdm.auto import tqdm
from twelvelabs import TwelveLabs
from twelvelabs.core.api_error import ApiError
from twelvelabs.types import CompletedChunk

from helpers.embed.client import settings_of
from helpers.embed.transport import http_client
from helpers.errors import EmbedError
from helpers.settings import is_local

BAR_BYTES = 20_000_000  # from this size an upload shows its own progress bar


def send_parts(client: TwelveLabs, source: Path, name: str, size: int, call: Callable[..., Any]) -> str:
    """Upload a file in parts, each read from where it lies in the file, and return the asset id.

    `name` is what it is called on the wire, `call` the client's with a deadline.
    The SDK's `upload_file` first writes all parts into a folder beside the source, which takes its size again
    on disk, fails where that folder is read-only, and begins anew when one part fails for good.
    """
    parts, what = client.multipart_upload, f"upload {source.name}"
    session = call(lambda: parts.create(filename=name, type="video", total_size=size), what)
    if not (session.upload_id and session.chunk_size and session.asset_id):
        raise EmbedError(f"Could not {what}: the service opened no upload in parts, so run the cell again.")
    upload_id, length = session.upload_id, session.chunk_size
    urls = {u.chunk_index: u.url for u in session.upload_urls or []}
    bar = {**progress_options(source, size), "unit": "B", "unit_scale": True}
    local = is_local(settings_of(client).base_url)
    with open(source, "rb") as file, http_client(local=local) as http, tqdm(**bar) as progress:
        for index in range(1, -(-size // length) + 1):
            file.seek((index - 1) * length)
            data = file.read(length)
            tag = ""
            for fresh in (False, True):  # an address is good for an hour, and once
                if fresh or index not in urls:
                    ask = partial(parts.get_additional_presigned_urls, upload_id, start=index, count=10)
                    urls |= {u.chunk_index: u.url for u in call(ask, what).upload_urls or []}
                try:
                    tag = call(partial(_put, http, urls.get(index) or "", data), what)
                    break
                except EmbedError as error:
                    if fresh or error.status not in (400, 403, 404, 410):
                        raise EmbedError(f"{str(error).rstrip('.')}, in part {index}.") from None
            chunk = CompletedChunk(chunk_index=index, proof=tag, proof_type="etag", chunk_size=len(data))
            call(partial(parts.report_chunk_batch, upload_id, completed_chunks=[chunk]), what)
            progress.update(len(data))
    return str(session.asset_id)


def _put(http: httpx.Client, url: str, data: bytes) -> str:
    answer = http.put(url, content=data, headers={"content-type": "application/octet-stream"})
    if not answer.is_success:
        raise ApiError(status_code=answer.status_code, headers=dict(answer.headers), body=None)
    return str(answer.headers.get("etag", "")).strip('"')


def progress_options(source: Path, size: int) -> dict[str, Any]:
    """How the progress bar of an upload looks; a small one has none."""
    quiet = size < BAR_BYTES or os.environ.get("VIDEO_SEARCH_PROGRESS") == "plain"
    return {"total": size, "desc": f"uploading {source.name}", "disable": quiet, "leave": False}
