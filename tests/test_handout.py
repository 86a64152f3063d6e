"""start.py of the handout: it says READY, or one reason, and nothing of a learner's is lost."""

import hashlib
import json
import platform
import sys
from pathlib import Path

import pytest

from tools.handout import start

SET = "linux-{}.{}".format(*sys.version_info)


@pytest.fixture
def handout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one wheel and a repository of two files; its machine is a Linux for which there are wheels."""
    here = tmp_path / "my stick" / "handout"
    (here / "wheels").mkdir(parents=True)
    (here / "wheels" / "one.whl").write_bytes(b"a wheel")
    digest = hashlib.sha256(b"a wheel").hexdigest()
    text = json.dumps({"sets": {SET: ["one.whl"]}, "sha256": {"one.whl": digest}})
    (here / "manifest.json").write_text(text, "utf-8")
    (here / "video-search" / "notebooks").mkdir(parents=True)
    (here / "video-search" / "requirements.txt").write_text("one\n", "utf-8")
    (here / "video-search" / "notebooks" / "01.ipynb").write_text("{}", "utf-8")
    monkeypatch.setattr(start, "HERE", here)
    for name, value in {"system": "Linux", "machine": "x86_64", "libc_ver": ("glibc", "2.36")}.items():
        monkeypatch.setattr(platform, name, lambda value=value: value)
    return here


def answer(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], to: Path) -> str:
    """The last line of what a run says."""
    monkeypatch.setattr(sys, "argv", ["start.py", "--to", str(to)])
    code = start.main()
    line = capsys.readouterr().out.splitlines()[-1]
    assert (code == 0) == (not line.startswith("Not ready: "))
    return line


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version_info": (3, 10, 2)}, "this is Python 3.10: install 3.11, 3.12 or 3.13"),
        ({"version_info": (3, 14, 0)}, "this is Python 3.14"),
        ({"maxsize": 2**31 - 1}, "this Python has 32 bits"),
        ({"machine": "aarch64"}, "there are no wheels for Linux on aarch64"),
        ({"system": "FreeBSD"}, "there are no wheels for FreeBSD on x86_64"),
        ({"libc_ver": ("glibc", "2.17")}, "this Linux has glibc 2.17: take one with glibc 2.28 or newer"),
        ({"libc_ver": ("", "")}, "this Linux has no glibc"),
        ({"system": "Darwin", "machine": "arm64", "mac_ver": ("13.6", (), "")}, "this is macOS before 14"),
        ({"system": "Windows", "machine": "AMD64"}, "made without wheels for windows-3"),
    ],
)
def test_a_machine_that_will_not_do_gets_one_reason(handout, tmp_path, monkeypatch, capsys, change, reason):
    for name, value in change.items():
        monkeypatch.setattr(
            sys if hasattr(sys, name) else platform,
            name,
            value if hasattr(sys, name) else lambda value=value: value,
        )
    assert reason in answer(monkeypatch, capsys, tmp_path / "to")
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize("damage", ["gone", "cut off", "no manifest", "half a manifest"])
def test_a_damaged_copy_is_noticed_before_anything_is_made(handout, tmp_path, monkeypatch, capsys, damage):
    wheel, manifest = handout / "wheels" / "one.whl", handout / "manifest.json"
    if damage == "gone":
        wheel.unlink()
    elif damage == "cut off":
        wheel.write_bytes(b"a whee")
    elif damage == "no manifest":
        manifest.unlink()
    else:
        manifest.write_text(manifest.read_text("utf-8")[:20], "utf-8")
    line = answer(monkeypatch, capsys, tmp_path / "to")
    assert "missing or damaged: copy the whole folder again" in line
    assert not (tmp_path / "to").exists()


def test_a_learner_s_copy_stays_and_other_files_are_in_nobody_s_way(handout, tmp_path, monkeypatch, capsys):
    start.copy_repository(tmp_path / "to")
    assert (tmp_path / "to" / "notebooks" / "01.ipynb").read_text("utf-8") == "{}"
    (tmp_path / "to" / "notebooks" / "01.ipynb").write_text("mine", "utf-8")
    start.copy_repository(tmp_path / "to")
    assert (tmp_path / "to" / "notebooks" / "01.ipynb").read_text("utf-8") == "mine"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "photo.jpg").write_bytes(b"p")
    assert "holds other files: name another folder" in answer(monkeypatch, capsys, tmp_path / "other")
    (tmp_path / "new.part").mkdir()
    (tmp_path / "new.part" / "half").write_text("of a run that was stopped", "utf-8")
    start.copy_repository(tmp_path / "new")
    assert not (tmp_path / "new" / "half").exists() and (tmp_path / "new" / "requirements.txt").exists()


def test_a_full_disk_has_a_reason(handout, tmp_path, monkeypatch, capsys):
    usage = start.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(start.shutil, "disk_usage", lambda path: usage._replace(free=500_000_000))
    assert "0.5 GB are free, and 2 are needed" in answer(monkeypatch, capsys, tmp_path / "to")


def test_packages_that_do_not_install_have_a_reason(handout, tmp_path, monkeypatch, capsys):
    script = handout / "video-search" / "tools" / "make_env.sh"
    script.parent.mkdir()
    script.write_text('echo "$PIP_NO_INDEX $PIP_FIND_LINKS" > asked.txt; exit 1\n', "utf-8")
    monkeypatch.chdir(tmp_path)
    assert "could not be installed: the lines above say why" in answer(monkeypatch, capsys, tmp_path / "to")
    asked = (tmp_path / "asked.txt").read_text("utf-8")
    assert asked == f"1 {(handout / 'wheels').as_uri()}\n" and "my%20stick" in asked
