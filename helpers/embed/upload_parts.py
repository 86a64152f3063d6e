"""A large file as an asset of the service, in parts."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from tqdm.auto import tqdm
from twelvelabs import TwelveLabs
from twelvelabs.core.api_error import ApiError
from twelvelabs.types import CompletedChunk

from helpers.embed.client import http_to
from helpers.errors import EmbedError
from helpers.settings import plain_progress

BAR_BYTES = 20_000_000  # from this size an upload shows its own progress bar
USED_UP = (400, 403, 404, 410)  # what an address or a session answers whose time is over


def send_parts(
    client: TwelveLabs,
    source: Path,
    name: str,
    call: Callable[..., Any],
    *,
    session: dict[str, Any] | None = None,
    keep: Callable[[dict[str, Any]], None] | None = None,
) -> str:
    """Upload a file in parts, each read from where it lies in the file, and return the asset id.

    `name` is what it is called on the wire, `call` the client's with a deadline. `keep` is told the session as
    soon as it is open; given back as `session`, the upload goes on with what has not arrived, for as long as
    the service keeps it (a day).
    The SDK's `upload_file` first writes all parts into a folder beside the source, which takes its size again
    on disk, fails where that folder is read-only, and begins anew when one part fails for good.
    """
    run = _Parts(client, source, call)
    if (
        session
        and session.get("size") == run.size
        and {"upload_id", "asset_id", "chunk_size"} <= set(session)
    ):
        try:
            run.resume(session)
            return run.send()
        except EmbedError as error:
            if error.status not in USED_UP:  # else the session is over
                raise
    run.open(name)
    if keep:
        keep(run.session)
    return run.send()


class _Parts:
    """An upload in parts that is open at the service: its session, its addresses, and the parts that arrived."""

    def __init__(self, client: TwelveLabs, source: Path, call: Callable[..., Any]) -> None:
        self.client, self.api, self.call = client, client.multipart_upload, call
        self.source, self.size, self.what = source, source.stat().st_size, f"upload {source.name}"
        self.session: dict[str, Any] = {}
        self.urls: dict[int, str] = {}
        self.arrived: set[int] = set()

    def open(self, name: str) -> None:
        """Begin a session."""
        made = self.call(
            lambda: self.api.create(filename=name, type="video", total_size=self.size), self.what
        )
        if not (made.upload_id and made.chunk_size and made.asset_id):
            raise EmbedError(
                f"Could not {self.what}: the service opened no upload in parts, so run the cell again."
            )
        self.session = {"upload_id": made.upload_id, "asset_id": made.asset_id}
        self.session |= {"chunk_size": made.chunk_size, "size": self.size}
        self.urls, self.arrived = {u.chunk_index: u.url for u in made.upload_urls or []}, set()

    def resume(self, session: dict[str, Any]) -> None:
        """Go on with a session of before: the service's list says what has arrived."""
        self.session = session
        listed = self.call(lambda: list(self.api.get_status(session["upload_id"], page_limit=50)), self.what)
        self.arrived = {chunk.index for chunk in listed if chunk.status == "completed"}

    def send(self) -> str:
        """Send what has not arrived, and return the asset id."""
        length = self.session["chunk_size"]
        missing = [i for i in range(1, -(-self.size // length) + 1) if i not in self.arrived]
        if not missing:
            return str(self.session["asset_id"])
        start = min(len(self.arrived) * length, self.size)
        bar = {**progress_options(self.source, self.size), "unit": "B", "unit_scale": True, "initial": start}
        with (
            open(self.source, "rb") as file,
            http_to(self.client, self._url(missing[0])) as http,
            tqdm(**bar) as progress,
        ):
            for index in missing:
                file.seek((index - 1) * length)
                data = file.read(length)
                self._send_part(http, index, data)
                progress.update(len(data))
        return str(self.session["asset_id"])

    def _send_part(self, http: httpx.Client, index: int, data: bytes, *, fresh: bool = False) -> None:
        url = self._url(index, fresh=fresh)
        try:
            tag = self.call(partial(_put, http, url, data), self.what)
        except EmbedError as error:
            if error.status in USED_UP and not fresh:
                return self._send_part(http, index, data, fresh=True)
            raise EmbedError(f"{str(error).rstrip('.')}, in part {index}.") from None
        chunk = CompletedChunk(chunk_index=index, proof=tag, proof_type="etag", chunk_size=len(data))
        upload_id = self.session["upload_id"]
        self.call(lambda: self.api.report_chunk_batch(upload_id, completed_chunks=[chunk]), self.what)
        return None

    def _url(self, index: int, *, fresh: bool = False) -> str:
        """Where a part goes; an address is good for an hour, and once."""
        if fresh or index not in self.urls:
            upload_id = self.session["upload_id"]
            ask = partial(self.api.get_additional_presigned_urls, upload_id, start=index, count=10)
            self.urls |= {u.chunk_index: u.url for u in self.call(ask, self.what).upload_urls or []}
        return self.urls.get(index) or ""


def _put(http: httpx.Client, url: str, data: bytes) -> str:
    answer = http.put(url, content=data, headers={"content-type": "application/octet-stream"})
    if not answer.is_success:
        raise ApiError(status_code=answer.status_code, headers=dict(answer.headers), body=None)
    return str(answer.headers.get("etag", "")).strip('"')


def progress_options(source: Path, size: int) -> dict[str, Any]:
    """How the progress bar of an upload looks; a small one has none."""
    quiet = size < BAR_BYTES or plain_progress()
    return {"total": size, "desc": f"uploading {source.name}", "disable": quiet, "leave": False}
