"""Assets of the practice server: uploads whole, by URL and in parts, and what a file turns out to be."""

import base64
import binascii
import hashlib
import io
import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from PIL import Image, UnidentifiedImageError

from helpers.errors import VideoError
from helpers.standin.protocol import Answer, Body, Refusal, etag, page, read_form, rfc3339, sha256
from helpers.videos.media import probe
from helpers.videos.samples import SUFFIXES


@dataclass(frozen=True)
class Media:
    """What a file is: `kind` is video, image, document or "" (with the `problem`); duration in seconds."""

    content: str
    size: int
    kind: str
    duration: float = 0.0
    width: int = 0
    height: int = 0
    has_audio: bool = False
    problem: str = ""


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


@dataclass
class Upload:
    id: str
    asset_id: str
    filename: str
    size: int
    chunk: int
    created: datetime
    parts: dict[int, bytes] = field(default_factory=dict)
    reported: set[int] = field(default_factory=set)

    @property
    def chunks(self) -> int:
        return max(1, math.ceil(self.size / self.chunk))


def look(data: bytes, filename: str) -> Media:
    """What these bytes are, by looking into them; the service finds that out after the upload."""
    content = hashlib.sha256(data).hexdigest()
    suffix = Path(filename).suffix.lower()
    if suffix in (".pdf", ".txt", ".md"):
        return Media(content, len(data), "document")
    try:
        with Image.open(io.BytesIO(data)) as image:
            return Media(content, len(data), "image", 0.0, *image.size)
    except (UnidentifiedImageError, OSError):
        pass
    with tempfile.NamedTemporaryFile(suffix=suffix if suffix in SUFFIXES else "") as file:
        file.write(data)
        file.flush()
        try:
            found = probe(file.name)
        except VideoError:
            return Media(content, len(data), "", problem="The file is invalid, corrupt, or unreadable.")
    size = (found.duration, found.width, found.height, found.has_audio)
    return Media(content, len(data), "video", *size)


def fetch(url: str) -> Media:
    """The file at a URL of this machine; any other is never fetched, and stands for a film of 30 s."""
    if urlsplit(url).hostname in ("localhost", "127.0.0.1"):
        try:
            got = httpx.get(url, timeout=10).raise_for_status()
        except httpx.HTTPError:
            return Media(sha256(url), 0, "", problem="failed to fetch or materialize source media")
        return look(got.content, Path(urlsplit(url).path).name)
    return Media(sha256(url), 1_000_000, "video", 30.0, 640, 360, has_audio=True)


def check_media(media: Media) -> None:
    """A Refusal, with the documented code, for what the service does not embed as a video."""
    long, short = max(media.width, media.height), min(media.width, media.height)
    wrong = {
        "video_file_broken": media.kind != "video",
        "video_duration_too_short": media.duration < 4,
        "video_duration_too_long": media.duration > 4 * 3600,
        "video_resolution_too_low": short < 360,
        "video_resolution_too_high": long > 5184 or short > 2160,
        "video_resolution_invalid_aspect_ratio": long > 2.4 * short,
    }
    if code := next((code for code, is_so in wrong.items() if is_so), ""):
        seen = f"{media.width}x{media.height}, {media.duration:g} s"
        raise Refusal(400, code, f"The video cannot be embedded: {code.replace('_', ' ')} ({seen}).")


class Assets:
    """All uploads, whole or in parts. `direct_bytes`, `chunk_bytes` and `first_urls` are the service's limits."""

    def __init__(self, new_id: Callable[[str], str], now: Callable[[], datetime]) -> None:
        self.new_id, self.now = new_id, now
        self.polls = 1  # how often an asset says that it is processing
        self.direct_bytes, self.chunk_bytes, self.first_urls = 200_000_000, 5_242_880, 10
        self.all: dict[str, Asset] = {}
        self.uploads: dict[str, Upload] = {}

    def create(self, headers: dict[str, str], body: bytes) -> Answer:
        fields, filename, file_type, data = read_form(body, headers.get("content-type", ""))
        method = fields.get("method")
        if method == "direct" and data is not None:
            if len(data) > self.direct_bytes:
                limit = f"{self.direct_bytes / 1e6:g} MB"
                raise Refusal(413, "content_too_large", f"The file is larger than {limit}.")
            media = look(data, filename)
        elif method == "url" and fields.get("url"):
            filename = Path(urlsplit(fields["url"]).path).name or "video.mp4"
            media, file_type = fetch(fields["url"]), "video/mp4"
        else:
            raise Refusal(400, "parameter_invalid", "Send method=direct with file, or method=url with url.")
        named = fields.get("filename") or filename
        asset = Asset(self.new_id("asset"), method, named, file_type, self.now(), media)
        self.all[asset.id] = asset
        return Answer(201, self._body(asset, "processing"))

    def find(self, asset_id: str) -> Asset:
        asset = self.all.get(asset_id)
        if asset is None or asset.fate == "expired":
            raise Refusal(404, "asset_not_exists", f"There is no asset {asset_id}.")
        return asset

    def status(self, asset: Asset) -> str:
        if asset.media is None or asset.fate == "never" or asset.polls <= self.polls:
            return "processing"
        return "failed" if asset.fate == "failed" or asset.media.problem else "ready"

    def retrieve(self, asset: Asset) -> Answer:
        asset.polls += asset.media is not None
        return Answer(200, self._body(asset, self.status(asset)))

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

    def listed(self, query: dict[str, list[str]]) -> Answer:
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

    # uploads in parts --------------------------------------------------------------------------------

    def create_upload(self, request: Body, host: str) -> Answer:
        asset = Asset(self.new_id("asset"), "multipart", request["filename"], "video/mp4", self.now())
        size = int(request["total_size"])
        if not 0 < size <= 10_000_000_000:
            raise Refusal(400, "parameter_invalid", "total_size must be between 1 byte and 10 GB.")
        upload = Upload(self.new_id("upload"), asset.id, asset.filename, size, self.chunk_bytes, self.now())
        self.all[asset.id], self.uploads[upload.id] = asset, upload
        body = {
            "upload_id": upload.id,
            "asset_id": asset.id,
            "chunk_size": upload.chunk,
            "total_chunks": upload.chunks,
            "expires_at": rfc3339(self.now() + timedelta(days=1)),
            "upload_headers": {},
            "upload_urls": self._urls(upload, 1, min(self.first_urls, upload.chunks), host),
        }
        return Answer(201, body)

    def find_upload(self, upload_id: str) -> Upload:
        if upload_id not in self.uploads:
            raise Refusal(404, "resource_not_exists", f"There is no upload {upload_id}.")
        return self.uploads[upload_id]

    def _urls(self, upload: Upload, start: int, count: int, host: str) -> list[Body]:
        expires = rfc3339(self.now() + timedelta(hours=1))
        last = min(start + count - 1, upload.chunks)
        urls = [(n, f"{host}/uploads/{upload.id}/{n}") for n in range(max(start, 1), last + 1)]
        return [{"chunk_index": n, "url": url, "expires_at": expires} for n, url in urls]

    def more_urls(self, upload: Upload, request: Body, host: str) -> Answer:
        urls = self._urls(upload, request["start"], request["count"], host)
        body = {
            "upload_id": upload.id,
            "start_index": request["start"],
            "count": len(urls),
            "upload_urls": urls,
        }
        return Answer(200, body)

    def put_chunk(self, upload_id: str, number: int, data: bytes) -> Answer:
        upload = self.uploads.get(upload_id)
        if upload is None or not 1 <= number <= upload.chunks:
            return Answer(403, b"<Error><Code>AccessDenied</Code></Error>")
        upload.parts[number] = data
        return Answer(200, b"", {"ETag": f'"{etag(data)}"'})

    def report_chunks(self, upload: Upload, request: Body, host: str) -> Answer:
        done, before = request["completed_chunks"], len(upload.reported)
        for chunk in done:
            data = upload.parts.get(chunk["chunk_index"])
            if data is None or chunk["proof"].strip('"') != etag(data):
                raise Refusal(400, "parameter_invalid", f"Chunk {chunk['chunk_index']} has not arrived.")
            upload.reported.add(chunk["chunk_index"])
        body = {
            "asset_id": upload.asset_id,
            "processed_chunks": len(done),
            "duplicate_chunks": len(done) - (len(upload.reported) - before),
            "total_completed": len(upload.reported),
        }
        asset = self.all.get(upload.asset_id)
        if len(upload.reported) == upload.chunks and asset:
            asset.media = look(b"".join(upload.parts[n] for n in sorted(upload.parts)), upload.filename)
            upload.parts.clear()
            body["url"] = f"{host}/files/{upload.asset_id}"
        return Answer(200, body)

    def _upload_status(self, upload: Upload) -> Body:
        full = len(upload.reported) == upload.chunks
        return {
            "upload_id": upload.id,
            "asset_id": upload.asset_id,
            "filename": upload.filename,
            "status": "completed" if full else "active",
            "chunk_size": upload.chunk,
            "total_chunks": upload.chunks,
            "total_size": upload.size,
            "uploaded_size": min(upload.size, len(upload.reported) * upload.chunk),
            "chunks_completed": len(upload.reported),
            "chunks_pending": upload.chunks - len(upload.reported),
            "chunks_failed": 0,
            "created_at": rfc3339(upload.created),
        }

    def open_uploads(self, query: dict[str, list[str]]) -> Answer:
        waiting = [upload for upload in self.uploads.values() if len(upload.reported) < upload.chunks]
        return page([self._upload_status(upload) for upload in waiting], query)

    def upload_status(self, upload: Upload, query: dict[str, list[str]]) -> Answer:
        names = {True: "completed", False: "pending"}
        chunks = [{"index": n, "status": names[n in upload.reported]} for n in range(1, upload.chunks + 1)]
        listed = page(chunks, query).body
        body = self._upload_status(upload)
        return Answer(200, body | {"uploaded_chunks": listed["data"], "page_info": listed["page_info"]})

    def source(self, source: Body) -> tuple[Media, str]:
        """What a media source holds, and the name of its file."""
        if source.get("asset_id"):
            asset = self.find(source["asset_id"])
            status = self.status(asset)
            if asset.media is None or status != "ready":
                raise Refusal(400, "asset_not_ready", f"The asset {asset.id} is {status}.")
            return asset.media, asset.filename
        if source.get("url"):
            name = Path(urlsplit(source["url"]).path).name
            media = fetch(source["url"])
            if media.problem:
                raise Refusal(400, "parameter_invalid", "inaccessible artifact")
            return media, name
        try:
            data = base64.b64decode(source["base64_string"], validate=True)
        except binascii.Error as error:
            raise Refusal(400, "parameter_invalid", "base64_string is not base64.") from error
        return look(data, ""), ""
