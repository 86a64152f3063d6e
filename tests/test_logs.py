"""logs.py: what reaches the file and the screen, what never does, and what cannot break it."""

import json
import logging
import math
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from helpers import logs, redaction
from helpers.errors import EmbedError, SettingsError
from helpers.settings import ROOT, Settings, load_settings

KEY, TOKEN = "planted/k+y 1234567890", "root:planted-passw0rd"
LOG = logging.getLogger("video_search.tests")


@pytest.fixture(autouse=True)
def quiet_again() -> Iterator[None]:
    yield
    logs.stop_logging()


@pytest.fixture
def settings() -> Settings:
    return load_settings()


def start(script: str, *args: object, home: Path) -> "subprocess.Popen[str]":
    """A Python of its own, for `script`."""
    # the package without its __init__, which imports everything: that would take longer than the test
    code = "import logging, sys, types\npackage = sys.modules['helpers'] = types.ModuleType('helpers')\n"
    code += f"package.__path__ = [{str(ROOT / 'helpers')!r}]\n"
    code += "from helpers import logs\nfrom helpers.settings import load_settings\n"
    return subprocess.Popen(
        [sys.executable, "-c", code + textwrap.dedent(script), *map(str, args)],
        env=os.environ | {"VIDEO_SEARCH_HOME": str(home), "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(script: str, *, home: Path) -> str:
    """Standard output of a Python that logs; nothing may be on standard error."""
    process = start(script, home=home)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    return out


# ---------------------------------------------------------------- file and screen


def test_the_file_has_everything_and_the_screen_a_line_each(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    path = logs.start_logging(settings)
    LOG.debug("a detail")
    LOG.info("%d videos\nembedded", 3, extra={"videos": 3})
    LOG.warning("slow")
    try:
        raise EmbedError("Could not embed cat.mp4: set a valid key.")
    except EmbedError:
        LOG.exception("The batch stopped.")
    try:
        {}["x"]
    except KeyError:
        LOG.exception("Odd.")
    assert capfd.readouterr() == (
        "3 videos embedded\n"
        "Warning: slow\n"
        "Error: The batch stopped: Could not embed cat.mp4: set a valid key.\n"
        "Error: Odd: KeyError: 'x' (more in the log)\n",
        "",
    )
    assert path == settings.home / "logs" / "video-search.log"
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [row["level"] for row in rows] == ["DEBUG", "INFO", "WARNING", "ERROR", "ERROR"]
    assert rows[1]["message"] == "3 videos\nembedded" and rows[1]["videos"] == 3
    assert rows[0]["time"].endswith("+00:00") and rows[0]["process"] == os.getpid()
    assert rows[3]["exception"].endswith("EmbedError: Could not embed cat.mp4: set a valid key.")


def test_an_error_that_says_it_all_is_not_said_twice(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.start_logging(settings)
    try:
        raise EmbedError("It failed: try again.")
    except EmbedError as error:
        LOG.error("%s", error, exc_info=True)
    assert capsys.readouterr().out == "Error: It failed: try again.\n"


def test_a_title_cannot_play_with_the_screen(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    logs.start_logging(settings)
    LOG.info("embedded %s", "\x1b[2J\u202ecat\r\nError: false\x00 é 👩‍👧")
    assert capsys.readouterr().out == "embedded ?[2J?cat Error: false? é 👩‍👧\n"


def test_a_second_call_adds_nothing(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    first = logs.start_logging(settings)
    assert logs.start_logging(settings, screen="warning") == first
    LOG.info("once")
    LOG.warning("once more")
    assert capsys.readouterr().out == "Warning: once more\n"
    assert logs.read_log()["message"].tolist() == ["once", "once more"]


def test_another_home_moves_the_file(settings: Settings, tmp_path: Path) -> None:
    first = logs.start_logging(settings)
    LOG.info("here")
    second = logs.start_logging(replace(settings, home=tmp_path / "elsewhere"))
    LOG.info("there")
    assert logs.read_log(first)["message"].tolist() == ["here"]
    assert logs.read_log(second)["message"].tolist() == ["there"]


def test_a_folder_that_was_deleted_comes_back(settings: Settings) -> None:
    path = logs.start_logging(settings)
    for file in path.parent.iterdir():
        file.unlink()
    path.parent.rmdir()
    LOG.info("lost")
    assert logs.start_logging(settings) == path
    LOG.info("kept")
    assert logs.read_log()["message"].tolist() == ["kept"]


def test_an_unknown_level_is_refused(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="write DEBUG, INFO, WARNING or ERROR"):
        logs.start_logging(settings, screen="LOUD")


def test_nothing_is_shown_before_the_start(capfd: pytest.CaptureFixture[str]) -> None:
    LOG.info("unheard")
    with logs.timed("api.step"):
        pass
    assert capfd.readouterr() == ("", "")


def test_third_parties_stay_off_the_screen(settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    logs.start_logging(settings)
    for name in ("httpx", "urllib3.connectionpool", "matplotlib.font_manager", "asyncio", "milvus_lite.x"):
        logging.getLogger(name).info("noise")
        logging.getLogger(name).warning("from %s", name)
    logging.getLogger("pymilvus.milvus_client").error("a page")
    assert capfd.readouterr() == ("", "")
    assert len(logs.read_log()) == 5 and set(logs.read_log()["level"]) == {"WARNING"}


# ---------------------------------------------------------------- what may go wrong


@pytest.mark.parametrize("in_the_way", ["logs", "logs/video-search.log/x"])
def test_a_folder_that_cannot_be_written(
    settings: Settings, capfd: pytest.CaptureFixture[str], in_the_way: str
) -> None:
    file = settings.home / in_the_way
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("")
    for _ in range(2):
        logs.start_logging(settings)
        LOG.info("goes on")
        logging.getLogger("urllib3").warning("retrying")
    out, err = capfd.readouterr()
    warning, line, *_ = out.splitlines()
    assert warning.startswith("Warning: The log in ") and "set VIDEO_SEARCH_HOME" in warning
    assert line == "goes on" and len(out.splitlines()) == 4 and err == ""
    assert logs.read_log().empty
    shutil.rmtree(settings.home)
    assert logs.start_logging(settings).exists()


def test_a_rotation_that_fails(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(logs, "MAX_BYTES", 500)
    path = logs.start_logging(settings)
    (path.parent / f"{path.name}.1").mkdir()
    for number in range(9):
        LOG.info("%d", number)
    assert capfd.readouterr() == ("".join(f"{n}\n" for n in range(9)), "")
    assert logs.read_log()["message"].tolist() == [str(n) for n in range(9)]


@pytest.mark.slow
def test_a_full_disk_breaks_nothing_and_the_log_goes_on_when_there_is_room(tmp_path: Path) -> None:
    out = run(
        """
        import resource
        logs.start_logging(load_settings())
        log = logging.getLogger("video_search.tests")
        log.info("before")
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, most))  # a write beyond fails, as on a full disk
        for _ in range(50):
            log.debug("x" * 300)
        log.info("on the screen")
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        log.info("after")
        """,
        home=tmp_path,
    )
    assert out == "before\non the screen\nafter\n"
    table = logs.read_log(tmp_path / "logs")
    assert table["message"].iloc[0] == "before" and table["message"].iloc[-1] == "after"
    assert table["message"].str.startswith("x").sum() < 5


def test_a_full_disk_lets_go_of_the_file_and_a_cut_line_stays_alone(settings: Settings) -> None:
    resource = pytest.importorskip("resource")
    path = logs.start_logging(settings)
    LOG.debug("before")
    soft, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20, most))
    try:
        LOG.debug("lost")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, most))
    assert not path.read_bytes().endswith(b"\n")
    LOG.debug("after")
    table = logs.read_log(path)
    assert table["message"].tolist() == ["before", "after"] and table.attrs["damaged"] == 1


@pytest.mark.slow
def test_size_and_count_are_bounded(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_BYTES", 2_000)
    path = logs.start_logging(settings)
    for number in range(200):
        LOG.debug("line %d", number)
    sizes = {p.name: p.stat().st_size for p in path.parent.glob("*.log*")}
    assert set(sizes) == {"video-search.log", *(f"video-search.log.{n}" for n in (1, 2, 3))}
    assert max(sizes.values()) <= 2_000 + 200  # a file is full when it has passed the bound
    kept = logs.read_log(path)["message"].tolist()
    assert kept == [f"line {n}" for n in range(200 - len(kept), 200)] and len(kept) > 20
    LOG.debug("y" * 10_000_000, extra={"many": ["z" * 3_000] * 100})
    assert max(p.stat().st_size for p in path.parent.glob("*.log*")) < redaction.MAX_LINE + 2_200
    assert logs.read_log()["left_out"].iloc[-1] == ["many"]


@pytest.mark.slow
def test_kernels_at_once_lose_no_line_and_a_killed_one_leaves_at_most_a_cut_one(
    tmp_path: Path, settings: Settings
) -> None:
    script = """
        logs.MAX_BYTES, logs.OLDER_FILES = 5_000, 50
        print(logs.start_logging(load_settings()).name, flush=True)
        for start in (0, 100):
            sys.stdin.readline()
            for number in range(start, start + 100):
                logging.getLogger("video_search.tests").debug("%s %d", sys.argv[1], number)
            print("done", flush=True)
        sys.stdin.readline()
    """

    def said(kernel: "subprocess.Popen[str]") -> str:
        return str(kernel.stdout.readline().strip())  # type: ignore[union-attr]

    def go(kernel: "subprocess.Popen[str]") -> None:
        kernel.stdin.write("\n")  # type: ignore[union-attr]
        kernel.stdin.flush()  # type: ignore[union-attr]

    kernels = [start(script, name, home=tmp_path) for name in "ab"]
    assert [said(kernel) for kernel in kernels] == ["video-search.log"] * 2
    for kernel in kernels:
        go(kernel)
    assert [said(kernel) for kernel in kernels] == ["done", "done"]
    with (tmp_path / "logs" / "video-search.log").open("a") as file:
        file.write('{"time": "2026-')  # the line that a kernel was writing when it was killed
    for kernel in kernels:
        go(kernel)
    assert [said(kernel) for kernel in kernels] == ["done", "done"]
    for kernel in kernels:
        kernel.kill()
        kernel.communicate()
    logs.start_logging(replace(settings, home=tmp_path))
    LOG.debug("after")
    table = logs.read_log(tmp_path / "logs")
    assert table.attrs["damaged"] == 1 and table["time"].is_monotonic_increasing
    assert table["message"].iloc[-1] == "after"
    for name in "ab":
        kept = [m for m in table["message"] if m.startswith(f"{name} ")]
        assert kept == [f"{name} {n}" for n in range(200)]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_shares_the_file(tmp_path: Path) -> None:
    run(
        """
        import os, warnings
        warnings.simplefilter("ignore")
        logs.MAX_BYTES, logs.OLDER_FILES = 300, 50
        path = logs.start_logging(load_settings())
        log = logging.getLogger("video_search")
        log.debug("parent")
        if not (child := os.fork()):
            for _ in range(20):
                log.debug("child")
            os._exit(0)
        for _ in range(20):
            log.debug("parent")
        assert os.waitpid(child, 0)[1] == 0
        """,
        home=tmp_path,
    )
    table = logs.read_log(tmp_path / "logs")
    assert sorted(table["message"]) == ["child"] * 20 + ["parent"] * 21 and table.attrs["damaged"] == 0


class Hostile:
    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


class Changing(dict[str, object]):
    """A dict that another thread changes."""

    def items(self) -> Any:
        raise RuntimeError("dictionary changed size during iteration")


def test_what_is_logged_cannot_break_the_caller(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    logs.start_logging(settings)
    loop: dict[str, object] = {}
    loop["self"] = loop
    LOG.info("%d", "no number")
    LOG.info(Hostile(), extra={"it": Hostile(), "loop": loop, "process_": 1})
    LOG.info("name \udcff", extra={"path": Path("a\udcff"), "nan": math.nan, "n": np.int64(3), "no": None})
    LOG.info("odd", extra={"it": Changing()})
    with logs.timed("x.y", filename="a", name="b", level="c", seconds="mine"):
        pass
    table = logs.read_log()
    assert len(table) == 5 and table.attrs["damaged"] == 0
    assert table["message"].tolist()[:3] == ["%d ('no number',)", "<Hostile>", "name \\udcff"]
    assert table["n"].iloc[2] == 3 and table["nan"].iloc[2] == "nan" and table["path"].iloc[2] == "a\\udcff"
    assert table["filename"].iloc[4] == "a" and table["level_"].iloc[4] == "c"
    assert table["seconds"].iloc[4] < 60 and table["it"].iloc[3] == "not readable"
    assert capfd.readouterr().err == ""


# ---------------------------------------------------------------- redaction


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("TWELVE_LABS_API_KEY", KEY)
    monkeypatch.setenv("MILVUS_TOKEN", TOKEN)
    return load_settings()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (f"key {KEY}!", "key ***!"),
        ("GET /v1?key=planted%2Fk%2By%201234567890", "GET /v1?key=***"),
        ("Basic cm9vdDpwbGFudGVkLXBhc3N3MHJk", "Basic ***"),  # the token in base64, as pymilvus sends it
        ("the password planted-passw0rd alone", "the password *** alone"),
        ("tlk_0123456789ABC and xtlk_ABCD_-efgh.", "*** and x***."),
        ("a key starts with tlk_ and more", "a key starts with tlk_ and more"),
        ("{'x-api-key': 'abc', 'accept': 'x'}", "{'x-api-key': '***', 'accept': 'x'}"),
        ("[(b'x-api-key', b'abc'), (b'a', b'b')]", "[(b'x-api-key', b'***'), (b'a', b'b')]"),
        ("X-Api-Key: abc\nHost: x", "X-Api-Key: ***\nHost: x"),
        ("Authorization: Bearer abc.def, x", "Authorization: Bearer ***, x"),
        ('{"body": "{\\"x-api-key\\": \\"abc\\"}"}', '{"body": "{\\"x-api-key\\": \\"***\\"}"}'),
        ("https://ann:p@ss@host:1/a?token=abc&b=1", "https://***@host:1/a?token=***&b=1"),
        ("http://u:p@h and http://h/a@b", "http://***@h and http://h/a@b"),
        ("https://s3/x?X-Amz-Signature=ab12&y=1", "https://s3/x?X-Amz-Signature=***&y=1"),
        (
            "the token: expired; set MILVUS_TOKEN to another",
            "the token: expired; set MILVUS_TOKEN to another",
        ),
        ("TwelveLabs(api_key='abc', timeout=1)", "TwelveLabs(api_key='***', timeout=1)"),
    ],
)
def test_redact(planted: Settings, text: str, wanted: str) -> None:
    assert redaction.redact(text) == wanted
    assert redaction.redact(wanted) == wanted


def test_a_key_that_only_the_env_file_knows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("helpers.settings.ROOT", tmp_path)
    assert redaction.redact("some-plain-key") == "some-plain-key"
    (tmp_path / ".env").write_text("TWELVE_LABS_API_KEY=some-plain-key\n")
    assert redaction.redact("some-plain-key") == "***"
    (tmp_path / ".env").write_text("TWELVE_LABS_API_KEY=quite-another\n")
    os.utime(tmp_path / ".env", ns=(1, 1))
    assert redaction.redact("quite-another") == "***"
    (tmp_path / ".env").write_bytes(b"\xff\xfe\x00")
    os.utime(tmp_path / ".env", ns=(2, 2))
    assert redaction.redact("still works") == "still works"


@pytest.mark.slow
@given(st.text(), st.text(), st.sampled_from([KEY, TOKEN, "tlk_0123456789abcdef"]))
@example("x-api-key: ", "", KEY)
@example("", "@host", "://u:tlk_0123456789abcdef")
def test_no_surroundings_hide_a_secret(before: str, after: str, secret: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWELVE_LABS_API_KEY", KEY)
        patch.setenv("MILVUS_TOKEN", TOKEN)
        once = redaction.redact(f"{before}{secret}{after}")
        assert secret not in once
        assert redaction.redact(once) == once


def test_no_secret_gets_through_anywhere(
    planted: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = logs.start_logging(planted, screen="DEBUG")
    monkeypatch.delenv("TWELVE_LABS_API_KEY")  # the settings still hold it
    monkeypatch.delenv("MILVUS_TOKEN")
    shaped = "tlk_0123456789abcdef"
    for secret in (KEY, TOKEN, shaped):
        LOG.info(f"message {secret}")
        LOG.info("args %s %r", secret, {"deep": [secret]})
        nested = {"a": [{"b": (secret, {secret})}], secret: b"x" + secret.encode()}
        LOG.info("extra", extra={"request": nested, "stack": Path(secret)}, stack_info=True)
        try:
            try:
                raise ValueError(secret)
            except ValueError as error:
                error.add_note(f"note {secret}")
                raise EmbedError(f"Could not: {secret}.") from error
        except EmbedError:
            LOG.exception("It failed")
        with pytest.raises(ValueError), logs.timed("api.create", key=secret) as more:
            more["answer"] = {"error": f"bad key {secret}"}
            raise ValueError(secret)
        logging.getLogger("httpx").warning("GET http://h/?k=%s", secret)
    LOG.info("unknown", extra={"headers": {"X-API-Key": "unknown-1"}, "api_key": "unknown-2"})
    LOG.info("unknown", extra={"headers": [("x-api-key", "unknown-3")], "url": "https://a:unknown-4@h/"})
    out, err = capfd.readouterr()
    text = path.read_text("utf-8")
    for secret in (KEY, TOKEN, shaped, "planted", "unknown-"):
        assert secret not in text and secret not in out and err == ""
    assert len(text.splitlines()) == 6 * 3 + 2 and out.count("***") > 9


# ---------------------------------------------------------------- timings


def test_timed_fields(settings: Settings) -> None:
    logs.start_logging(settings)
    with logs.timed("api.create", attempt=1) as more:
        more |= {"status": 202, "request_id": "r1", "bytes": 12}
    with pytest.raises(EmbedError), logs.timed("milvus.insert", rows=7):
        raise EmbedError("No room: delete something.")
    with pytest.raises(KeyboardInterrupt), logs.timed("whole"):
        raise KeyboardInterrupt
    table = logs.read_log()
    assert table["event"].tolist() == ["api.create", "milvus.insert", "whole"]
    assert table["outcome"].tolist() == ["ok", "EmbedError", "KeyboardInterrupt"]
    assert table["logger"].tolist() == ["video_search.api", "video_search.milvus", "video_search"]
    assert (table["level"] == "DEBUG").all() and (table["seconds"] >= 0).all()
    assert table["message"].tolist()[0] == "api.create: ok"
    assert table[["attempt", "status", "request_id", "bytes"]].iloc[0].tolist() == [1, 202, "r1", 12]
    assert table["rows"].iloc[1] == 7 and table["error"].iloc[1] == "No room: delete something."


# ---------------------------------------------------------------- the log read back


def test_no_log_is_an_empty_table(tmp_path: Path) -> None:
    for path in (None, tmp_path, tmp_path / "none.log", tmp_path / "no" / "folder"):
        table = logs.read_log(path)
        assert table.empty and tuple(table) == logs.COLUMNS
        assert isinstance(table["time"].dtype, pd.DatetimeTZDtype) and table["seconds"].dtype == float


def test_parts_in_order_and_damaged_lines_left_out(tmp_path: Path) -> None:
    def line(second: int, **more: object) -> str:
        return json.dumps({"time": f"2026-01-01T00:00:{second:02}+00:00", "message": str(second)} | more)

    path = tmp_path / "my.log"
    (tmp_path / "my.log.10").write_text(line(1) + "\n")
    (tmp_path / "my.log.2").write_text(line(2, seconds=0.5, event="e") + "\n" + line(2)[:30] + line(3) + "\n")
    damaged = ["", "[1]", "3", '"time"', "{}", '{"time": 5}', '{"time": "soon"}', "[" * 100_000, "\x00\xff"]
    path.write_bytes("\n".join([*damaged, line(3, seconds="?", new=1), line(4)[:20]]).encode("latin-1"))
    (tmp_path / "my.log.bak").write_text(line(9))
    table = logs.read_log(str(path))
    assert table["message"].tolist() == ["1", "2", "3"]
    assert table.attrs["damaged"] == len(damaged) + 1  # the empty line is none, two are cut
    assert tuple(table) == (*logs.COLUMNS, "new")
    assert table["seconds"].tolist()[1] == 0.5 and table["event"].tolist() == ["", "e", ""]
    assert str(table["time"].dtype.tz) == "UTC"  # type: ignore[union-attr]
