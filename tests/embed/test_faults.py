"""Every fault of the Embed API, held to what docs/faults.md says of it: lost 0, doubled 0."""

import pytest

pytest.importorskip("resource", reason="Windows has no RLIMIT_FSIZE and no SIGKILL")

from tools.faults import api, store
from tools.faults.table import api_row, written_rows


def test_there_are_at_least_thirty_and_each_has_a_name_of_its_own() -> None:
    assert len({case.name for case in api.CASES}) == len(api.CASES) >= 30


CASES = [
    pytest.param(case, id=case.name, marks=[pytest.mark.slow] if case.films == api.LOUD else [])
    for case in api.CASES
]


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_nothing_is_lost_and_nothing_doubled(case: api.Case) -> None:
    outcome = api.run(case)
    assert (outcome.lost, outcome.doubled) == (0, 0)
    row = api_row(case, outcome)
    assert row == written_rows()[case.name], "run `make faults` and read what has changed"


def test_the_page_shows_every_fault_and_no_other() -> None:
    names = [*(case.name for case in api.CASES), *(case.fault for case in store.FAULTS)]
    assert list(written_rows()) == names
