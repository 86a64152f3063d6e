"""Every helper that users reach at real size, beside raw pymilvus and beside another tree of this project.

    python -m benchmarks.real_size --rows 100000 --baseline ../older-checkout --keep /tmp/real-size

The trees work on the same made-up vectors in one run, each in a process of its own with a Milvus Lite folder of its
own, and take turns, step by step, so that a busy minute hits all of them. Within a process the helper and the raw
call take turns as well; the baseline is asked by its helpers alone, and not for what it takes minutes for. With
--keep the collections and the answers so far stay in that folder, and a run that was stopped goes on there.
Writes benchmarks/results/real_size_<rows>.json and prints the table.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.aims import Answer, rows_of, shown
from benchmarks.records import Row, load_average, save
from helpers.settings import ROOT
from tools.notebook_env import SWITCHES

SLOW_SECONDS = 8.0  # a step that took longer in the first round is not asked for again
FEW = 20_000  # rows that are quick enough for a second round, to be inserted three times, and again
AGAIN = 2_000  # rows inserted again by the baseline, which takes minutes for all
STEPS: dict[str, dict[str, Any]] = {
    "search": {"step": "search", "times": 15},
    "hybrid": {"step": "hybrid", "times": 10},
    "hybrid 100": {"step": "hybrid", "times": 10, "depth": 100},
    "count": {"step": "count", "times": 5},
    "filter 0.1 %": {"step": "filtered", "share": "0.1 %", "times": 15},
    "filter 1 %": {"step": "filtered", "share": "1 %", "times": 15},
    "read": {"step": "read", "times": 1},
    "new": {"step": "new", "rows": 1000, "times": 2},
}
# What the baseline is not asked for among many rows, and what it took when it was, on two cores.
TOO_SLOW = {
    "hybrid 100": "not asked again: 36 s at 100,000 rows",
    "HNSW hybrid": "not asked again: 433 s at 100,000 rows",
    "memory of searches": "not asked: minutes",
}
MOST = 100_000  # rows for which an index is built, all are read, and raw pymilvus is asked to count
APPROXIMATE = {f"HNSW {name}": STEPS[name] for name in ("search", "hybrid", "filter 0.1 %", "filter 1 %")}


class Child:
    """A process of one tree that answers steps."""

    def __init__(self, tree: Path, kind: str, rows: int, home: Path) -> None:
        self.log = home.with_suffix(f".{kind}.log")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command("real_size_child", str(tree), kind, str(rows)),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=tree,
                env=child_environment(tree, home),
            )

    def do(self, step: str, **given: Any) -> Answer:
        """What the process says of a step; {"error": …} as well where it has died."""
        assert self.process.stdin and self.process.stdout
        try:
            self.process.stdin.write(json.dumps({"step": step, **given}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        if line := self.process.stdout.readline():
            return dict(json.loads(line))
        last = self.log.read_text(errors="replace").strip().splitlines()[-1:]
        return {"error": f"the process ended ({self.process.wait()}): {''.join(last)[:200]}"}

    def close(self) -> None:
        if self.process.poll() is None:
            self.do("close")
        self.process.communicate()


def command(module: str, *arguments: str) -> list[str]:
    """Run a module of this tree's benchmarks with the helpers of the tree that PYTHONPATH names."""
    start = f"import sys, helpers; sys.path.insert(0, {str(ROOT)!r}); from benchmarks import {module} as m; m.main()"
    return [sys.executable, "-c", start, *arguments]


def child_environment(tree: Path, home: Path) -> dict[str, str]:
    """Offline, with a home of its own, and with that tree's helpers before those that are installed."""
    env = {k: v for k, v in os.environ.items() if k not in ("TWELVELABS_BASE_URL", "PYTHONSTARTUP")}
    env |= dict.fromkeys(SWITCHES, "")
    env |= {"VIDEO_SEARCH_MODE": "offline", "VIDEO_SEARCH_HOME": str(home), "MPLBACKEND": "agg"}
    return env | {"PYTHONPATH": str(tree), "VIDEO_SEARCH_PROGRESS": "plain"}


@dataclass
class Run:
    """The answers of one run, by tree ("this", "baseline", "raw") and step."""

    trees: dict[str, Path]
    rows: int
    scratch: Path
    answers: dict[str, dict[str, Answer]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.file.is_file():
            self.answers = json.loads(self.file.read_text("utf-8"))

    @property
    def file(self) -> Path:
        return self.scratch / f"answers_{self.rows}.json"

    def is_known(self, name: str, step: str) -> bool:
        """Whether a run that was stopped has the answer; those that the baseline is spared get theirs here."""
        if name == "baseline" and self.rows > FEW and step in TOO_SLOW:
            self.note(name, step, {"error": TOO_SLOW[step]})
        return step in self.answers.get(name, {})

    @contextmanager
    def child(self, name: str, kind: str) -> Iterator[Child]:
        child = Child(self.trees.get(name, ROOT), kind, self.rows, self.scratch / f"{name}-{self.rows}")
        try:
            yield child
        finally:
            child.close()

    def note(self, name: str, step: str, answer: Answer) -> None:
        """Keep an answer; a second round's times join those of the first."""
        kept = self.answers.setdefault(name, {}).setdefault(step, {})
        for key, value in answer.items():
            kept[key] = kept[key] + value if isinstance(value, list) and key in kept else value
        self.file.write_text(json.dumps(self.answers), "utf-8")

    def fill(self, bar: "tqdm[Any]") -> None:
        """The first insert, in fresh processes that take turns: time, and the first one's peak memory."""
        left = [name for name in (*self.trees, "raw") if not self.is_known(name, "insert")]
        for copy in range(1 if self.rows > FEW else 3):
            for name in left:
                bar.set_postfix_str(f"insert, {name}")
                with self.child(name, "raw" if name == "raw" else "helper") as child:
                    self.note(name, "insert", child.do("insert", copy=copy))
        bar.update()

    def measure(self, steps: dict[str, dict[str, Any]], children: dict[str, Child], bar: "tqdm[Any]") -> None:
        for label, step in steps.items():
            slow = {name for name in children if self.is_known(name, label)}
            for _ in range(1 if step["step"] in ("read", "index") or self.rows > FEW else 2):
                for name, child in children.items():
                    if name in slow:
                        continue
                    bar.set_postfix_str(f"{label}, {name}")
                    answer = child.do(**step)
                    self.note(name, label, answer)
                    times = [s for key in ("helper", "own") for s in answer.get(key, [])]
                    if not times or max(times) > SLOW_SECONDS:
                        slow.add(name)
            bar.update()

    def memory(self, bar: "tqdm[Any]") -> None:
        """A fresh process for each that searches, in one way only."""
        for name in (*self.trees, "raw"):
            if self.is_known(name, "memory of searches"):
                continue
            bar.set_postfix_str(f"memory, {name}")
            with self.child(name, "raw" if name == "raw" else "helper") as child:
                steps = ["search", "hybrid", "count"] if name != "raw" else ["search", "hybrid"]
                answers = [child.do(**(STEPS[step] | {"times": 1})) for step in steps]
            peaks = [answer.get("peak_mb") for answer in answers]
            failed = [answer["error"] for answer in answers if "error" in answer]
            known = [peak for peak in peaks if peak is not None]
            self.note(
                name,
                "memory of searches",
                {"error": failed[0]} if failed else {"peak_mb": max(known, default=None)},
            )
            bar.update()

    def notebook(self, bar: "tqdm[Any]") -> None:
        for name, tree in self.trees.items():
            if self.is_known(name, "notebook 07"):
                continue
            bar.set_postfix_str(f"notebook 07, {name}")
            run = command("notebook_cell")
            home = self.scratch / f"{name}-07"
            done = subprocess.run(
                run, cwd=tree, env=child_environment(tree, home), capture_output=True, text=True
            )
            last = (done.stdout.strip().splitlines() or [""])[-1]
            error = (done.stderr.strip().splitlines() or ["no answer"])[-1][:200]
            self.note(name, "notebook 07", json.loads(last) if done.returncode == 0 else {"error": error})
            bar.update()


def measured(
    rows: int, baseline: Path | None, *, index: bool = True, notebook: bool = True, keep: Path | None = None
) -> list[Row]:
    """One run: a row for each operation; with `keep` it begins where one that was stopped has left off."""
    trees = {"this": ROOT} | ({"baseline": baseline.resolve()} if baseline else {})
    flat = {label: step for label, step in STEPS.items() if rows <= MOST or label != "read"}
    index = index and rows <= MOST
    total = len(flat) + 2 + (len(APPROXIMATE) + 1 if index else 0) + len(trees) + 1
    with ExitStack() as stack:
        scratch = keep
        if scratch is None:
            made = tempfile.TemporaryDirectory(prefix="real-size-", ignore_cleanup_errors=True)
            scratch = Path(stack.enter_context(made))
        scratch.mkdir(parents=True, exist_ok=True)
        run = Run(trees, rows, scratch)
        with tqdm(total=total + (len(trees) if notebook else 0), desc=f"{rows} rows", unit="step") as bar:
            run.fill(bar)
            run.memory(bar)
            with ExitStack() as opened:
                kinds = {name: "both" if name == "this" else "helper" for name in trees}
                children = {name: opened.enter_context(run.child(name, kind)) for name, kind in kinds.items()}
                run.measure(flat, children, bar)
                if index:
                    run.measure({"HNSW": {"step": "index", "kind": "HNSW"}}, children, bar)
                    run.measure(APPROXIMATE, children, bar)
                for name, child in children.items():
                    some = min(rows, AGAIN if name == "baseline" else FEW)
                    if not run.is_known(name, "again"):
                        bar.set_postfix_str(f"again, {name}")
                        run.note(name, "again", child.do("again", rows=some))
                bar.update()
            if notebook:
                run.notebook(bar)
        run.file.unlink()  # the next run begins anew, and finds collections that it makes anew
    return rows_of(run.answers, rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument(
        "--baseline", type=Path, help="another tree of this project to measure beside this one"
    )
    parser.add_argument(
        "--no-index", action="store_true", help="leave HNSW out, which takes minutes to build"
    )
    parser.add_argument("--no-notebook", action="store_true", help="leave the cell of notebook 07 out")
    parser.add_argument("--keep", type=Path, help="where a run that is stopped can go on")
    given = parser.parse_args()
    load = load_average()
    parts = {"index": not given.no_index, "notebook": not given.no_notebook}
    rows = measured(given.rows, given.baseline, keep=given.keep, **parts)
    name = f"real_size_{given.rows}" + ("_beside" if given.baseline else "")
    path = save(name, rows, load_before=load)
    print(f"\n{given.rows} rows, two options of 384 numbers; load before {load}\n\n{shown(rows)}")
    print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
