"""files.py: a file is written whole or not at all, and what was published is known again."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from helpers import files
from helpers.settings import ROOT


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_is_replaced_whole_and_a_link_stays_a_link(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "new" / f"{'long' * 62}.txt"  # its folder is made
    files.write_file(path, b"one", durable=durable)
    link = tmp_path / "link"
    link.symlink_to(path)
    files.write_file(link, b"two", durable=durable)
    assert path.read_bytes() == b"two" and link.is_symlink()
    assert names(path.parent) == [path.name]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / "kept"
    files.write_file(path, b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            files.write_file(path, b"x" * 2000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == b"old" and names(tmp_path) == ["kept"]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="nobody can be killed here")
def test_what_a_killed_writer_left_goes_with_a_later_write_of_the_same_file(tmp_path: Path) -> None:
    script = f"""
        import os, signal
        from helpers import files
        os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        files.write_file({str(tmp_path / "kept")!r}, b"half")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    [left] = names(tmp_path)
    files.write_file(tmp_path / "kept", b"one")  # it may be another writer's, who is at it now
    assert names(tmp_path) == sorted([left, "kept"])
    long_ago = time.time() - 2 * 86_400 * files.ABANDONED_DAYS
    os.utime(tmp_path / left, (long_ago, long_ago))
    files.write_file(tmp_path / "other", b"two")
    assert left in names(tmp_path)
    files.write_file(tmp_path / "kept", b"three")
    assert names(tmp_path) == ["kept", "other"]


def test_published_files(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"a")
    digest = files.file_sha256(tmp_path / "a.bin")
    assert files.is_published(tmp_path / "a.bin", digest)
    assert not files.is_published(tmp_path / "a.bin", "0" * 64)
    assert not files.is_published(tmp_path / "gone.bin", digest)
    for key in ("files", "outputs"):  # of the models, of the fixtures
        (tmp_path / "manifest.json").write_text(json.dumps({key: {"a.bin": {"sha256": digest}}}))
        assert files.published_digests(tmp_path) == {"a.bin": digest}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"files": 1}', '{"files": {"a": 1}}', '{"files": {"a": {}}}']
)
def test_a_manifest_that_says_nothing(tmp_path: Path, text: str) -> None:
    assert files.published_digests(tmp_path) == {}
    (tmp_path / "manifest.json").write_text(text)
    assert files.published_digests(tmp_path) == {}


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(FileExistsError, match="what is there is no file"):
            files.write_file(tmp_path / name, b"x")
    assert (tmp_path / "pipe").is_fifo() and not list((tmp_path / "folder").iterdir())
    assert names(tmp_path) == ["folder", "pipe"]


def test_what_is_old_is_removed_and_what_is_new_stays(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / f"{name}-folder").mkdir()
        (tmp_path / f"{name}-folder" / "a").write_bytes(b"a")
        (tmp_path / f"{name}-file").write_bytes(b"a")
    for path in tmp_path.glob("old-*"):
        os.utime(path, (0, time.time() - 3 * 86_400))
    files.remove_old([*tmp_path.iterdir(), tmp_path / "gone"], days=2)
    assert names(tmp_path) == ["new-file", "new-folder"]
