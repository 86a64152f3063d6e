"""Assets: uploads whole and by URL, and what a file turns out to be; uploads in parts are in parts.py."""

import base64
import binascii
import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from helpers.errors import VideoError
from helpers.standin.wire import Answer, Body, Refusal, Request, invalid, page, read_form, rfc3339
from helpers.videos.images import open_picture
from helpers.videos.media import probe
from helpers.videos.samples import SUFFIXES


@dataclass(frozen=True)
class Media:
    """What a file is: `kind` is video, image, document or "" (with the `problem`); duration in seconds.

    `content` is the sha256 of its bytes. Where files are kept, it lies at `path`.
    """

    content: str
    size: int
    kind: str
    duration: float = 0.0
    width: int = 0
    height: int = 0
    has_audio: bool = False
    problem: str = ""
    path: Path | None = None


_looked_at: dict[tuple[str, str], Media] = {}  # by content and suffix: the same bytes are the same thing


@dataclass
class Asset:
    id: str
    method: str
    filename: str
    file_type: str
    created: datetime
    media: Media | None = None  # None: still on its way
    polls: int = 0
    fate: str = ""
    reason: str = ""


def look(data: IO[bytes], filename: str, folder: Path | None = None) -> Media:
    """What this is, by looking into it once; the file stays in `folder`, if there is one."""
    data.seek(0)
    content = hashlib.file_digest(data, "sha256").hexdigest()  # type: ignore[arg-type]  # the stub's is too narrow
    key = content, Path(filename).suffix.lower()
    with tempfile.TemporaryDirectory(prefix="video-search-") as scratch:
        path = (folder or Path(scratch)) / content
        if folder or key not in _looked_at:
            data.seek(0)
            with open(path, "wb") as file:
                shutil.copyfileobj(data, file)
        if key not in _looked_at:
            _looked_at[key] = replace(_what(path, *key), size=path.stat().st_size)
    return replace(_looked_at[key], path=path if folder else None)


def _what(path: Path, content: str, suffix: str) -> Media:
    if suffix in (".pdf", ".txt", ".md"):
        return Media(content, 0, "document")
    kinds = [_look_for_picture, _look_for_video]
    if suffix in SUFFIXES:  # a GIF may be a picture, or a video
        kinds.reverse()
    for look_for in kinds:
        with suppress(VideoError):
            return look_for(path, content)
    return Media(content, 0, "", problem="The file is invalid, corrupt, or unreadable.")


def _look_for_picture(path: Path, content: str) -> Media:
    return Media(content, 0, "image", 0.0, *open_picture(path).size)


def _look_for_video(path: Path, content: str) -> Media:
    found = probe(path, digest=content)
    return Media(content, 0, "video", found.duration, found.width, found.height, found.has_audio)


class Assets:
    """All uploads; `folder`, if there is one, keeps their files.

    `polls` is how often an asset says that it is processing; `direct_bytes`, `chunk_bytes` and `first_urls` are
    the service's limits. `fetch` says what a URL leads to.
    """

    def __init__(
        self,
        new_id: Callable[[str], str],
        now: Callable[[], datetime],
        fetch: Callable[[str], Media],
        *,
        polls: int,
        folder: Path | None = None,
    ) -> None:
        self.new_id, self.now, self.fetch = new_id, now, fetch
        self.polls, self.folder = polls, folder
        self.direct_bytes, self.chunk_bytes, self.first_urls = 200_000_000, 5_242_880, 10
        self.all: dict[str, Asset] = {}

    def answer(self, request: Request) -> Answer | None:
        """The answer to a request for assets; None where there is no such route."""
        match (request.method, *request.path.strip("/").split("/")[1:]):
            case ("POST",):
                return self._create(request)
            case ("GET",):
                return self._list(request.query)
            case ("GET", asset_id):
                asset = self._find(asset_id)
                body = self._body(asset, self.status(asset))
                asset.polls += asset.media is not None
                return Answer(200, body)
            case ("DELETE", asset_id):
                asset = self.all.pop(self._find(asset_id).id)
                if asset.media:
                    self.release(asset.media)
                return Answer(204)
        return None

    def _create(self, request: Request) -> Answer:
        fields, filename, file_type, data = read_form(request.body, request.headers.get("content-type", ""))
        method = fields.get("method", "")
        if method == "direct" and data is not None:
            with data:
                if data.seek(0, os.SEEK_END) > self.direct_bytes:
                    limit = f"{self.direct_bytes / 1e6:g} MB"
                    raise Refusal(413, "content_too_large", f"The file is larger than {limit}.")
                media = look(data, filename, self.folder)
        elif method == "url" and fields.get("url"):
            filename = Path(urlsplit(fields["url"]).path).name or "video.mp4"
            media, file_type = self.fetch(fields["url"]), "video/mp4"
        else:
            raise invalid("Send method=direct with file, or method=url with url.")
        named = fields.get("filename") or filename
        asset = Asset(self.new_id("asset"), method, named, file_type, self.now(), media)
        self.all[asset.id] = asset
        return Answer(201, self._body(asset, "processing"))

    def _find(self, asset_id: str) -> Asset:
        asset = self.all.get(asset_id)
        if asset is None or asset.fate == "expired":
            raise Refusal(404, "asset_not_exists", f"There is no asset {asset_id}.")
        return asset

    def release(self, media: Media) -> None:
        """Delete the file of a media source, unless it is that of an asset."""
        held = any(asset.media and asset.media.content == media.content for asset in self.all.values())
        if media.path and not held:
            media.path.unlink(missing_ok=True)

    def status(self, asset: Asset) -> str:
        if asset.media is None or asset.fate == "never" or asset.polls < self.polls:
            return "processing"
        return "failed" if asset.fate == "failed" or asset.media.problem else "ready"

    def _body(self, asset: Asset, status: str) -> Body:
        body: Body = {
            "_id": asset.id,
            "method": asset.method,
            "status": status,
            "filename": asset.filename,
            "file_type": asset.file_type,
            "created_at": rfc3339(asset.created),
        }
        if status == "ready" and asset.media:
            body |= {"size": asset.media.size}
            body |= {"duration": asset.media.duration} if asset.media.kind == "video" else {}
        if status == "failed" and asset.media:
            body["error"] = {"message": asset.reason or asset.media.problem}
        return body

    def _list(self, query: dict[str, list[str]]) -> Answer:
        ids, kinds = query.get("asset_ids"), query.get("asset_types")
        name = query.get("filename", [""])[0].lower()
        rows = [
            self._body(asset, self.status(asset))
            for asset in reversed(self.all.values())
            if (not ids or asset.id in ids)
            and (not kinds or (asset.media is not None and asset.media.kind in kinds))
            and name in asset.filename.lower()
        ]
        return page(rows, query)

    def source(self, source: Body) -> tuple[Media, str]:
        """What a media source holds, and the name of its file."""
        if asset_id := source.get("asset_id"):
            asset = self.all.get(asset_id)
            if asset is None or asset.fate == "expired":
                raise Refusal(400, "asset_not_exists", f"There is no asset {asset_id}: upload it first.")
            status = self.status(asset)
            if asset.media is None or status != "ready":
                raise Refusal(400, "asset_not_ready", f"The asset {asset.id} is {status}.")
            return asset.media, asset.filename
        if url := source.get("url"):
            media = self.fetch(url)
            if media.problem:
                raise invalid("inaccessible artifact")
            return media, Path(urlsplit(url).path).name
        try:
            data = base64.b64decode(source["base64_string"], validate=True)
        except binascii.Error as error:
            raise invalid("base64_string is not base64.") from error
        return look(io.BytesIO(data), "", self.folder), ""
