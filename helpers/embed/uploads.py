"""Videos as assets of the service: uploaded once, used again, deleted when you say so.

An upload is known by its content: on the wire a file is called by its digest, so that an upload whose answer
was lost is found again, and the file's own name stays at home.
"""

import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm
from twelvelabs import TwelveLabs
from twelvelabs.types import AssetDetail

from helpers.arguments import checked_path
from helpers.embed.client import call, check_client, service_of, settings_of
from helpers.embed.journal import Journal
from helpers.embed.upload_parts import progress_options, send_parts
from helpers.embed.work import Source
from helpers.errors import EmbedError, VideoError
from helpers.files import cache_key

DIRECT_BYTES = 200_000_000  # the documented limit of one POST; above it a file goes in parts


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
    run = _Upload(client, source, digest, deadline, stop)
    if journal is None:
        return run.send()
    now, service = datetime.now(UTC).isoformat(), service_of(client)
    key = "asset-" + cache_key(content=digest, **service)[:32]
    about = {"filename": run.name, "service": service}

    def keep(session: dict[str, Any]) -> None:
        journal.write(key, intent=now, session=session, **about)

    entry = journal.read(key)
    asset_id = run.find(entry) if entry else None
    if asset_id is None:
        session = entry.get("session") if isinstance(entry.get("session"), dict) else None
        if session is None:
            journal.write(key, intent=now, **about)
        asset_id = run.send(session, keep)
    journal.write(key, id=asset_id, **about, created=datetime.now(UTC).isoformat())
    return asset_id


class _Upload:
    """One upload on its way: what its steps share. `name` is what the file is called on the wire."""

    def __init__(
        self,
        client: TwelveLabs,
        source: Source,
        digest: str,
        deadline: float,
        stop: threading.Event | None,
    ) -> None:
        self.client, self.source, self.call = client, source, partial(call, deadline=deadline, stop=stop)
        self.name = f"{digest[:16]}{source.suffix.lower() if isinstance(source, Path) else ''}"

    def find(self, entry: dict[str, Any]) -> str | None:
        """The id of an upload that is there and good; a lost one is looked for by its name on the wire."""
        if asset_id := entry.get("id"):
            try:
                asset = self.call(lambda: self.client.assets.retrieve(asset_id), "look for an upload")
            except EmbedError as error:
                if error.status == 404:  # deleted, or of another account
                    return None
                raise
            return str(asset_id) if asset.status in ("ready", "processing") else None
        listed = self.call(partial(_listed, self.client, self.name), "look for a lost upload")
        # An upload in parts is "processing" from its first part on: it may lack the others.
        good = ("ready",) if self.in_parts else ("ready", "processing")
        return next((asset.id for asset in listed if asset.status in good), None)

    @property
    def in_parts(self) -> bool:
        """Whether the file is too large for one request."""
        local = isinstance(self.source, Path) and self.source.is_file()
        return local and os.path.getsize(self.source) > DIRECT_BYTES

    def send(
        self,
        session: dict[str, Any] | None = None,
        keep: Callable[[dict[str, Any]], None] | None = None,
    ) -> str:
        """Upload the file, and return the id; in parts, go on with `session`, or tell `keep` of a new one."""
        if isinstance(self.source, str):
            what = "hand over the address of a video"
            create = partial(self.client.assets.create, method="url", url=self.source, filename=self.name)
            return _id(self.call(create, what), what)
        path, what = self.source, f"upload {self.source.name}"
        try:
            if self.in_parts:
                return send_parts(self.client, path, self.name, self.call, session=session, keep=keep)
            return _id(self.call(partial(self._send_whole, path), what), what)
        except OSError as error:
            raise VideoError(
                f"{path.name} could not be read to its end ({error.strerror}): is it moved?"
            ) from None

    def _send_whole(self, path: Path) -> Any:
        bar = progress_options(path, path.stat().st_size)
        with open(path, "rb") as file, tqdm.wrapattr(file, "read", **bar) as watched:
            return self.client.assets.create(method="direct", file=(self.name, watched, "video/mp4"))


def _id(asset: Any, what: str) -> str:
    if not asset.id:
        raise EmbedError(f"Could not {what}: the service gave the upload no id, so run the cell again.")
    return str(asset.id)


def _listed(client: TwelveLabs, name: str) -> list[AssetDetail]:
    """The uploads of this name on the wire: the service's own filter finds parts of names as well."""
    return [a for a in client.assets.list(filename=name, page_limit=50) if a.filename == name and a.id]


def delete_uploads(client: TwelveLabs, *, home: Path | None = None) -> int:
    """Delete from the service the videos that this machine uploaded, and return how many there were.

    The segments stay: they are on your disk. Other uploads of the account are not touched.
    """
    check_client(client)
    place = settings_of(client).home if home is None else checked_path(home, EmbedError, what="home")
    journal = Journal(place / "journal")
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
