"""The tests of one file stay on one worker, for the fixtures that they share."""

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="one process runs every test")
def test_a_worker_knows_the_groups(request: pytest.FixtureRequest) -> None:
    """pytest 9.2.0 keeps pytest-xdist 3.8.0 from naming them, and every test goes to either worker."""
    assert request.node.nodeid.endswith("@test_groups")
