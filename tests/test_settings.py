"""settings.py: the switches, and nothing secret in sight."""

from pathlib import Path

import pytest

from helpers import settings
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


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in SWITCHES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VIDEO_SEARCH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(settings, "ROOT", tmp_path)  # no .env of the developer's


def test_without_a_key_everything_is_offline() -> None:
    found = settings.load_settings()
    assert not found.live
    assert found.model == "offline-384"
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
    assert not found.live and found.api_key == "" and found.model == "offline-384"


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


def test_the_environment_table_says_that_all_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    table = settings.check_environment().set_index("check")
    assert set(table["status"]) <= {"ok", "make some room"}
    assert table.loc["twelvelabs", "found"] == "1.3.6"
    assert str(Path.home()) not in table.to_string()
    monkeypatch.setenv("TWELVELABS_BASE_URL", "http://127.0.0.1:1")
    assert "unset it" in settings.check_environment().set_index("check").loc["TWELVELABS_BASE_URL", "status"]
