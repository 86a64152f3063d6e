"""settings.py: the switches, and nothing secret in sight."""

import shutil
import socket
from pathlib import Path

import pytest

from helpers import redaction, settings
from helpers.errors import SettingsError

SWITCHES = [
    "TWELVE_LABS_API_KEY",
    "TWELVELABS_API_KEY",
    "TWELVE_LABS_MODEL",
    "VIDEO_SEARCH_MODE",
    "MILVUS_URI",
    "MILVUS_TOKEN",
    "MILVUS_PREFIX",
    "TWELVELABS_BASE_URL",
]


REPO = settings.ROOT


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in SWITCHES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VIDEO_SEARCH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(settings, "ROOT", tmp_path)  # no .env of the developer's


def test_without_a_key_everything_is_offline() -> None:
    found = settings.load_settings()
    assert not found.live
    assert found.model == "offline-512"
    assert found.prefix == ""


@pytest.mark.parametrize("name", ["TWELVE_LABS_API_KEY", "TWELVELABS_API_KEY"])
def test_a_key_goes_live(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "tlk_secret")
    found = settings.load_settings()
    assert found.live and found.model == "marengo3.5" and found.api_key == "tlk_secret"
    assert "tlk_secret" not in repr(found)


def test_offline_wins_over_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWELVE_LABS_API_KEY", "tlk_secret")
    monkeypatch.setenv("TWELVE_LABS_MODEL", "marengo3.0")
    assert settings.load_settings().model == "marengo3.0"
    monkeypatch.setenv("VIDEO_SEARCH_MODE", "offline")
    found = settings.load_settings()
    assert not found.live and found.api_key == "" and found.model == "offline-512"


def test_each_notebook_has_its_own_milvus_folder() -> None:
    uris = {settings.load_settings(n).milvus_uri for n in ("03", "04", None)}
    assert len(uris) == 3
    assert all(Path(u).is_absolute() and u.endswith(".db") for u in uris)


def test_a_server_gets_a_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILVUS_URI", "http://localhost:19530")
    monkeypatch.setenv("MILVUS_TOKEN", "root:secret")
    monkeypatch.setattr("getpass.getuser", lambda: "ann-b")
    found = settings.load_settings()
    assert found.prefix == "ann_b_" and found.milvus_uri == "http://localhost:19530"
    assert "secret" not in repr(found)
    monkeypatch.setenv("MILVUS_PREFIX", "team7_")
    assert settings.load_settings().prefix == "team7_"


def test_the_env_file_is_read_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("TWELVE_LABS_API_KEY=from_file\nTWELVE_LABS_MODEL=marengo3.0\n")
    assert settings.load_settings().api_key == "from_file"
    monkeypatch.setenv("TWELVE_LABS_MODEL", "marengo3.5")
    assert settings.load_settings().model == "marengo3.5"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_an_env_file_as_editors_and_shells_write_it(tmp_path: Path, encoding: str) -> None:
    text = "# clé\r\nTWELVE_LABS_API_KEY=tlk_made_up\r\nVIDEO_SEARCH_MODE=live\r\n"
    (tmp_path / ".env").write_bytes(text.encode(encoding))
    assert settings.load_settings().api_key == "tlk_made_up"
    assert redaction.redact("tlk_made_up, made-up") == "***, made-up"


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16-le", "utf-16-be", "utf-32", "cp932"])
def test_an_env_file_whose_encoding_nobody_can_tell(tmp_path: Path, encoding: str) -> None:
    note = "# ソ\n" if encoding == "cp932" else "# clé\n"
    (tmp_path / ".env").write_bytes(f"{note}TWELVE_LABS_API_KEY=tlk_made_up\n".encode(encoding))
    with pytest.raises(SettingsError, match=r"\.env is not in UTF-8: open it in an editor and save"):
        settings.load_settings()
    assert redaction.redact("what is told goes on") == "what is told goes on"


def test_an_env_file_that_is_no_file(tmp_path: Path) -> None:
    (tmp_path / ".env").symlink_to(tmp_path / ".env")
    with pytest.raises(SettingsError, match=r"\.env cannot be read \(Too many levels"):
        settings.load_settings()
    (tmp_path / ".env").unlink()
    (tmp_path / ".env").mkdir()
    with pytest.raises(SettingsError, match=r"\.env cannot be read \(Is a directory\)"):
        settings.load_settings()
    (tmp_path / ".env" / "pyvenv.cfg").touch()  # a Python environment, as some call theirs
    assert not settings.load_settings().live


@pytest.mark.parametrize("key", ["“tlk_made_up”", "tlk_made\u200bup", "tlk_made\nup"])
def test_a_key_that_no_header_can_carry(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("TWELVE_LABS_API_KEY", key)
    with pytest.raises(SettingsError, match="holds a character that no key has") as caught:
        settings.load_settings()
    assert "made" not in str(caught.value)
    monkeypatch.setenv("VIDEO_SEARCH_MODE", "offline")
    assert not settings.load_settings().live


def test_a_home_of_somebody_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDEO_SEARCH_FOLDER", "~/garden")
    assert settings.load_settings().folder == Path.home() / "garden"
    monkeypatch.setenv("VIDEO_SEARCH_FOLDER", "")
    assert settings.load_settings().folder is None
    monkeypatch.setenv("VIDEO_SEARCH_HOME", "~nobody-of-that-name/home")
    with pytest.raises(SettingsError, match="write the whole path"):
        settings.load_settings()


@pytest.mark.parametrize("error", [KeyError("uid not found"), OSError("no username")])
def test_a_user_without_a_name(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def unknown() -> str:
        raise error

    monkeypatch.setattr("getpass.getuser", unknown)
    assert settings.load_settings().prefix == ""
    monkeypatch.setenv("MILVUS_URI", "http://localhost:19530")
    with pytest.raises(SettingsError, match="set MILVUS_PREFIX"):
        settings.load_settings()


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8800/v1.3", True),
        ("http://127.8.0.1", True),
        ("http://LOCALHOST:1", True),
        ("http://practice.localhost:1", True),
        ("http://localhost.:1", True),
        ("http://[::1]:1", True),
        ("http://[::ffff:127.0.0.1]:1", True),
        ("http://0.0.0.0:8000", True),  # as servers say where they listen
        ("http://[::ffff:10.0.0.1]:1", False),
        ("http://10.0.0.1", False),
        ("http://localhost.example.org", False),
        ("https://api.twelvelabs.io/v1.3", False),
        ("", False),
    ],
)
def test_what_is_on_this_machine(url: str, local: bool) -> None:
    assert settings.is_local(url) == local


@pytest.mark.parametrize(
    ("mode", "words"), [("onlne", "set it to live or offline"), ("live", "there is no key")]
)
def test_bad_switches(monkeypatch: pytest.MonkeyPatch, mode: str, words: str) -> None:
    monkeypatch.setenv("VIDEO_SEARCH_MODE", mode)
    with pytest.raises(SettingsError, match=words):
        settings.load_settings()


def test_a_home_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VIDEO_SEARCH_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(SettingsError, match="set VIDEO_SEARCH_HOME"):
        settings.make_home(settings.load_settings())


@pytest.fixture
def checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A checkout of which a test may break a part."""
    shutil.copy(REPO / "requirements.txt", tmp_path)
    for folder in ("models", "fixtures"):
        shutil.copytree(REPO / "data" / folder, tmp_path / "data" / folder)
    return tmp_path


def status() -> dict[str, str]:
    table = settings.check_environment()
    return dict(zip(table["check"], table["status"], strict=True))


def test_the_environment_table_says_that_all_is_well(checkout: Path) -> None:
    assert set(status().values()) <= {"ok", "make some room"}
    assert str(Path.home()) not in settings.check_environment().to_string()


def test_another_version_than_the_pinned_one_is_seen(checkout: Path) -> None:
    pins = (checkout / "requirements.txt").read_text().replace("pandas==", "pandas==9.")
    (checkout / "requirements.txt").write_text(pins)
    assert status()["pandas"].startswith("install pandas==9.")


@pytest.mark.parametrize("name", ["models/text.onnx", "fixtures/segments.parquet", "fixtures/manifest.json"])
def test_missing_and_damaged_data_is_seen(checkout: Path, name: str) -> None:
    (checkout / "data" / name).unlink()
    assert status()["models and fixtures"] == "run `git checkout -- data`"
    (checkout / "data" / name).write_bytes(b"{}")
    assert status()["models and fixtures"] == "run `git checkout -- data`"


def test_a_server_that_does_not_answer_is_seen(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILVUS_URI", "http://127.0.0.1:1")
    assert status()["Milvus"] == "start it, or mend MILVUS_URI"
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("MILVUS_URI", f"http://127.0.0.1:{server.getsockname()[1]}")
        assert status()["Milvus"] == "ok"
    for none in ("http://localhost:99999", "http://[::1", "ftp://localhost:19530"):
        monkeypatch.setenv("MILVUS_URI", none)
        assert status()["Milvus"] == "start it, or mend MILVUS_URI"


@pytest.mark.parametrize("address", ["http://[bad", "127.0.0.1:8800", "http://", "http://host:port/v1.3"])
def test_an_address_of_the_api_that_is_none(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("TWELVELABS_BASE_URL", address)
    with pytest.raises(SettingsError, match="TWELVELABS_BASE_URL is .* no address: unset it"):
        settings.load_settings()


def test_another_python_and_a_diverted_api_are_seen(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.version_info", (3, 14, 0))
    monkeypatch.setenv("TWELVELABS_BASE_URL", "https://api.example.org/v1.3")
    assert status()["Python"].startswith("install Python")
    assert "unset it" in status()["TWELVELABS_BASE_URL"]
    monkeypatch.setenv("TWELVELABS_BASE_URL", "http://127.0.0.1:1")  # a practice server
    assert status()["TWELVELABS_BASE_URL"] == "ok"


@pytest.mark.parametrize(
    ("user", "prefix"), [("ann-b", "ann_b_"), ("müller", "m_ller_"), ("3dlab", "_3dlab_"), ("vid_", "vid_")]
)
def test_a_prefix_is_one_that_milvus_takes(monkeypatch: pytest.MonkeyPatch, user: str, prefix: str) -> None:
    monkeypatch.setenv("MILVUS_URI", "http://localhost:19530")
    monkeypatch.setenv("MILVUS_PREFIX", user)
    assert settings.load_settings().prefix == prefix
