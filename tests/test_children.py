"""A child of a test runs under the test's own switches."""

import os

import pytest

pytest.importorskip("resource", reason="it takes a POSIX system to fork")

from tools.faults.children import in_child


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["offline", "live"])
def test_a_child_has_the_switches_of_now(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not those under which the process started that all children are forked from."""
    in_child(os.getpid)
    monkeypatch.setenv("VIDEO_SEARCH_MODE", mode)
    monkeypatch.delenv("TWELVE_LABS_MODEL")
    assert in_child(os.getenv, "VIDEO_SEARCH_MODE") == mode
    assert in_child(os.getenv, "TWELVE_LABS_MODEL") is None
