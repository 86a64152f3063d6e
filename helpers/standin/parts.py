"""Uploads in parts: addresses to put them to, and their report."""

import math
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import IO

from helpers.standin.assets import Asset, Assets, look
from helpers.standin.wire import Answer, Body, Refusal, Request, etag, invalid, page, rfc3339

KEPT = timedelta(days=1)  # so long an upload may go on


@dataclass
class Upload:
    id: str
    asset_id: str
    filename: str
    size: int
    chunk: int
    created: datetime
    path: Path | None  # where the parts that have arrived lie, each in its place; None: in memory
    memory: BytesIO = field(default_factory=BytesIO)
    etags: dict[int, str] = field(default_factory=dict)  # of the parts that have arrived
    reported: set[int] = field(default_factory=set)

    def content(self) -> AbstractContextManager[IO[bytes]]:
        """What has arrived, to read and write."""
        return open(self.path, "r+b") if self.path else nullcontext(self.memory)

    @property
    def chunks(self) -> int:
        return max(1, math.ceil(self.size / self.chunk))


class Parts:
    """The uploads in parts of `assets`, which has their sizes; each is an asset from the beginning."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets
        self.all: dict[str, Upload] = {}

    def answer(self, request: Request) -> Answer | None:
        """The answer to a request below /assets/multipart-uploads; None where there is no such route."""
        match (request.method, *request.path.strip("/").split("/")[2:]):
            case ("POST",):
                return self._create(request.json(), request.host)
            case ("GET",):
                return self._list_open(request.query)
            case ("GET", upload):
                return self._page(self._find(upload), request.query)
            case ("POST", upload):
                return self._report(self._find(upload), request.json(), request.host)
            case ("POST", upload, "presigned-urls"):
                return self._more_urls(self._find(upload), request.json(), request.host)
        return None

    def _create(self, request: Body, host: str) -> Answer:
        now, name = self._assets.now(), request["filename"]
        asset = Asset(self._assets.new_id("asset"), "multipart", name, "video/mp4", now)
        size = int(request["total_size"])
        if not 0 < size <= 10_000_000_000:
            raise invalid("total_size must be between 1 byte and 10 GB.")
        number, folder = self._assets.new_id("upload"), self._assets.folder
        path = folder / number if folder else None
        if path:
            path.touch()
        upload = Upload(number, asset.id, name, size, self._assets.chunk_bytes, now, path)
        self._assets.all[asset.id], self.all[upload.id] = asset, upload
        body = {
            "upload_id": upload.id,
            "asset_id": asset.id,
            "chunk_size": upload.chunk,
            "total_chunks": upload.chunks,
            "expires_at": rfc3339(now + KEPT),
            "upload_headers": {},
            "upload_urls": self._urls(upload, 1, min(self._assets.first_urls, upload.chunks), host),
        }
        return Answer(201, body)

    def _find(self, upload_id: str) -> Upload:
        upload = self.all.get(upload_id)
        if upload is None or upload.created + KEPT < self._assets.now():
            raise Refusal(404, "resource_not_exists", f"There is no upload {upload_id}.")
        return upload

    def _urls(self, upload: Upload, start: int, count: int, host: str) -> list[Body]:
        expires = rfc3339(self._assets.now() + timedelta(hours=1))
        last = min(start + count - 1, upload.chunks)
        urls = [(n, f"{host}/uploads/{upload.id}/{n}") for n in range(max(start, 1), last + 1)]
        return [{"chunk_index": n, "url": url, "expires_at": expires} for n, url in urls]

    def _more_urls(self, upload: Upload, request: Body, host: str) -> Answer:
        urls = self._urls(upload, request["start"], request["count"], host)
        body = {
            "upload_id": upload.id,
            "start_index": request["start"],
            "count": len(urls),
            "upload_urls": urls,
        }
        return Answer(200, body)

    def put(self, upload_id: str, number: int, data: bytes) -> Answer:
        """Take one part; its presigned address is the permission."""
        upload = self.all.get(upload_id)
        if upload is None or not 1 <= number <= upload.chunks:
            return Answer(403, b"<Error><Code>AccessDenied</Code></Error>")
        if len(upload.reported) < upload.chunks:
            with upload.content() as file:
                file.seek((number - 1) * upload.chunk)
                file.write(data)
        upload.etags[number] = etag(data)
        return Answer(200, b"", {"ETag": f'"{etag(data)}"'})

    def _report(self, upload: Upload, request: Body, host: str) -> Answer:
        done, before = request["completed_chunks"], len(upload.reported)
        for chunk in done:
            if chunk["proof"].strip('"') != upload.etags.get(chunk["chunk_index"]):
                raise invalid(f"Chunk {chunk['chunk_index']} has not arrived.")
            upload.reported.add(chunk["chunk_index"])
        body = {
            "asset_id": upload.asset_id,
            "processed_chunks": len(done),
            "duplicate_chunks": len(done) - (len(upload.reported) - before),
            "total_completed": len(upload.reported),
        }
        asset = self._assets.all.get(upload.asset_id)
        if len(upload.reported) == upload.chunks and asset:
            body["url"] = f"{host}/files/{upload.asset_id}"
            if asset.media is None:
                with upload.content() as file:
                    asset.media = look(file, upload.filename, self._assets.folder)
                if upload.path:
                    upload.path.unlink()
                upload.memory = BytesIO()
        return Answer(200, body)

    def _status(self, upload: Upload) -> Body:
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

    def _list_open(self, query: dict[str, list[str]]) -> Answer:
        waiting = [upload for upload in self.all.values() if len(upload.reported) < upload.chunks]
        return page([self._status(upload) for upload in waiting], query)

    def _page(self, upload: Upload, query: dict[str, list[str]]) -> Answer:
        names = {True: "completed", False: "pending"}
        chunks = [{"index": n, "status": names[n in upload.reported]} for n in range(1, upload.chunks + 1)]
        listed = page(chunks, query).body
        body = self._status(upload)
        return Answer(200, body | {"uploaded_chunks": listed["data"], "page_info": listed["page_info"]})
