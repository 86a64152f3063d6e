"""Every fault of tools/faults.py, held to what the README says of it: lost 0, doubled 0."""

import pytest

from helpers.settings import ROOT
from tools import faults

ROWS = {
    line.split(" | ")[0].removeprefix("| "): line
    for line in (ROOT / "README.md").read_text("utf-8").splitlines()
    if line.startswith("| ") and line.endswith(" | 0 | 0 |")
}


def test_there_are_at_least_thirty_and_each_has_a_name_of_its_own() -> None:
    assert len({case.name for case in faults.CASES}) == len(faults.CASES) >= 30


@pytest.mark.parametrize("case", faults.CASES, ids=lambda case: case.name)
def test_nothing_is_lost_and_nothing_doubled(case: faults.Case) -> None:
    outcome = faults.run(case)
    assert (outcome.lost, outcome.doubled) == (0, 0)
    assert ROWS[case.name] == faults.line(case, outcome), "run `make faults` and read what has changed"


def test_the_faults_of_the_store_are_in_the_table_as_well() -> None:
    store_faults = pytest.importorskip(
        "tests.store.store_faults", reason="Windows has no RLIMIT_FSIZE and no SIGKILL"
    )
    assert {fault.fault for fault in store_faults.FAULTS} <= set(ROWS)
