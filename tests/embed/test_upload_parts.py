"""A large upload that was killed goes on where it was: what has arrived is not sent again."""

import dataclasses
import itertools
import os
import signal
from typing import Any

import httpx
import pytest
from twelvelabs import TwelveLabs

from helpers import connect_twelvelabs, delete_uploads, embed_batch, embed_videos
from helpers.embed import uploads
from helpers.embed.journal import Journal
from helpers.errors import EmbedError
from helpers.files import file_sha256
from helpers.models import OFFLINE_MODEL
from helpers.settings import ROOT, load_settings
from helpers.standin.practice import PracticeServer
from tools.faults.children import child

CAT = ROOT / "data" / "videos" / "cat.mp4"
PART = 50_000
PARTS = -(-CAT.stat().st_size // PART)
OPENED, SENT, LISTED = "POST /assets/multipart-uploads", "PUT *", "GET /assets/multipart-uploads/*"


@pytest.fixture(autouse=True)
def in_parts(practice: PracticeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Uploads go in parts of 50,000 bytes, of which the service gives three addresses at first."""
    monkeypatch.setattr(uploads, "DIRECT_BYTES", 100_000)
    practice.service.assets.chunk_bytes, practice.service.assets.first_urls = PART, 3


def upload_and_die(at: int, sent: bool) -> None:
    """What the process does that is killed at a part: just before that is sent, or as soon as it has arrived."""
    uploads.DIRECT_BYTES = 100_000
    numbers, put = itertools.count(1), httpx.Client.put

    def last(self: httpx.Client, url: str, **more: Any) -> httpx.Response:
        dies = next(numbers) == at
        if not dies or sent:
            answer = put(self, url, **more)
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    httpx.Client.put = last  # type: ignore[method-assign,assignment]
    embed_videos(connect_twelvelabs(), CAT)


def seen(practice: PracticeServer) -> list[str]:
    return [request.route for request in practice.seen]


def die(practice: PracticeServer, at: int, *, sent: bool = False) -> None:
    """Let a process be killed at a part of its upload."""
    process = child(upload_and_die, at, sent)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL, f"not killed at part {at}; the service saw {seen(practice)}"
    assert practice.count(OPENED) == 1, f"killed, but not in an upload to this service: {seen(practice)}"


def arrived_whole(practice: PracticeServer) -> bool:
    """Whether one asset holds the bytes of the file."""
    contents = [asset.media.content for asset in practice.service.assets.all.values() if asset.media]
    return contents == [file_sha256(CAT)]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="nobody can be killed here")
@pytest.mark.parametrize(
    ("at", "sent", "again"), [(1, False, 0), (4, False, 0), (4, True, 1), (PARTS, True, 1)]
)
def test_a_killed_upload_goes_on_where_it_was(
    client: TwelveLabs, practice: PracticeServer, at: int, sent: bool, again: int
) -> None:
    die(practice, at, sent=sent)
    before = practice.count(SENT)
    assert before == at - (not sent)
    assert len(embed_videos(client, CAT)) == 5
    assert practice.count(SENT) == PARTS + again  # what had arrived, but was not reported, is sent once more
    assert practice.count(OPENED) == 1 and arrived_whole(practice)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="nobody can be killed here")
def test_an_upload_that_is_over_begins_anew(client: TwelveLabs, practice: PracticeServer) -> None:
    die(practice, 4)
    practice.advance(days=2)
    assert len(embed_videos(client, CAT)) == 5
    assert practice.count(OPENED) == 2 and practice.count(SENT) == 3 + PARTS and arrived_whole(practice)
    assert delete_uploads(client) == 2  # the one that was never whole as well


@pytest.mark.slow
def test_an_upload_that_is_whole_is_not_sent_again(client: TwelveLabs, practice: PracticeServer) -> None:
    embed_videos(client, CAT)
    (made,), (asset,) = practice.service.parts.all.values(), practice.service.assets.all.values()
    journal = Journal(load_settings().home / "journal")
    (key,) = (key for key in journal.entries() if key.startswith("asset-"))
    entry = {name: value for name, value in journal.read(key).items() if name not in ("id", "created")}
    session = {"upload_id": made.id, "asset_id": asset.id, "chunk_size": PART, "size": made.size}
    journal.write(key, **entry, session=session)  # as a kill just before the id is written leaves it
    practice.service.assets.polls, asset.polls = 1, 0
    assert len(embed_videos(client, CAT, segmentation="fixed-3")) == 8
    assert practice.count(SENT) == PARTS and practice.count(OPENED) == 1


def test_an_upload_that_failed_goes_on_in_the_next_run(client: TwelveLabs, practice: PracticeServer) -> None:
    practice.fault(f"PUT /uploads/*/{PARTS - 1}", 413)
    assert "in part" in embed_batch(client, CAT).report["reason"][0]
    assert embed_batch(client, CAT).report["status"][0] == "done"
    assert practice.count(SENT) == PARTS + 1 and practice.count(OPENED) == 1


@pytest.mark.slow
def test_a_session_that_cannot_be_asked_for_now_is_not_given_up(
    client: TwelveLabs, practice: PracticeServer
) -> None:
    practice.fault(SENT, 413)
    embed_batch(client, CAT)
    practice.fault(LISTED, 503, times=9)
    assert "answered 503" in embed_batch(client, CAT).report["reason"][0]
    practice.heal()
    assert embed_batch(client, CAT).report["status"][0] == "done" and practice.count(OPENED) == 1


@pytest.mark.slow
@pytest.mark.parametrize("session", [{"upload_id": "gone"}, {"size": 1}, "odd", {"size": CAT.stat().st_size}])
def test_a_session_of_something_else_is_not_gone_on_with(
    client: TwelveLabs, practice: PracticeServer, session: object
) -> None:
    practice.fault(OPENED, 400)
    with pytest.raises(EmbedError):
        embed_videos(client, CAT)
    journal = Journal(load_settings().home / "journal")
    (key,) = (key for key in journal.entries() if key.startswith("asset-"))
    journal.write(key, **{**journal.read(key), "session": session})
    assert len(embed_videos(client, CAT)) == 5 and arrived_whole(practice)


def test_an_opened_upload_of_which_nobody_knows_is_not_waited_for(
    client: TwelveLabs, practice: PracticeServer
) -> None:
    practice.fault(OPENED, "lost", times=1)
    assert len(embed_videos(client, CAT)) == 5 and practice.count(SENT) == PARTS


def test_offline_a_large_file_is_no_matter_for_the_network(practice: PracticeServer) -> None:
    client = connect_twelvelabs(dataclasses.replace(load_settings(), live=False, model=OFFLINE_MODEL))
    assert len(embed_videos(client, CAT)) == 5 and practice.seen == []
