"""The table of faults as Markdown, a row for each, and the file that shows it."""

import re
import tempfile
from pathlib import Path

from helpers.settings import ROOT
from tools.faults import api, store
from tools.faults.store_case import Case, Outcome

PAGE = ROOT / "docs" / "faults.md"
START, END = "<!-- faults -->", "<!-- /faults -->"
HEAD = "| fault | what the user sees | lost | doubled |\n|---|---|---|---|"


def words(sees: str) -> str:
    """What a user saw, for a table: without the request's id, the time of day, and what breaks a table."""
    sees = re.sub(r" \(request \w+\)", "", sees)
    sees = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "midnight UTC", sees)
    sees = re.sub(r"\b[0-9a-f]{24}\b", "…", sees)
    return sees.replace("|", "\\|")


def api_row(case: api.Case, outcome: api.Outcome) -> str:
    """The row of a fault of the Embed API."""
    return f"| {case.name} | {words(outcome.sees)} | {outcome.lost} | {outcome.doubled} |"


def store_row(case: Case, outcome: Outcome, folder: Path) -> str:
    """The row of a fault of the store; `folder` is where it happened, and is not named."""
    sees = outcome.sentence.replace(str(folder), "…") or "nothing: the same call again does what is missing"
    return f"| {case.fault} | {words(sees)} | {outcome.lost} | {outcome.doubled} |"


def table() -> str:
    """Let every fault happen, and return the table."""
    rows = [api_row(case, api.run(case)) for case in api.CASES]
    for fault in store.FAULTS:
        with tempfile.TemporaryDirectory() as folder:
            outcome = fault.run(Path(folder))
            if (outcome.lost, outcome.doubled) != (0, 0):
                raise AssertionError(f"{fault.name}: {outcome}")
            rows.append(store_row(fault, outcome, Path(folder)))
    return "\n".join([HEAD, *rows])


def written_rows() -> dict[str, str]:
    """The rows of docs/faults.md, by the name of the fault."""
    inside = PAGE.read_text("utf-8").partition(START)[2].partition(END)[0]
    rows = inside.strip().removeprefix(HEAD).strip().splitlines()
    return {row.removeprefix("| ").partition(" | ")[0]: row for row in rows}


def write(made: str) -> None:
    """Put the table between its marks in docs/faults.md."""
    before, _, rest = PAGE.read_text("utf-8").partition(START)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{START}\n{made}\n{END}{after}", "utf-8")
