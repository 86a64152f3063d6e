"""The switches of the project, all in one place: nothing else reads the environment.

Every value comes from the environment or, where that is silent, from a `.env` file in the checkout
(`.env.example` lists them all).
"""

import getpass
import ipaddress
import os
import re
import shutil
import socket
import sys
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from contextlib import suppress
from dataclasses import dataclass, field, fields
from importlib.metadata import version
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dotenv import dotenv_values

from helpers.cells import show_errors_briefly
from helpers.errors import SettingsError, VideoSearchError
from helpers.files import is_published, published_digests
from helpers.models import LIVE_MODEL, OFFLINE_MODEL, model_facts

if TYPE_CHECKING:
    import pandas as pd

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True, repr=False)
class Settings:
    """What the switches say. `live` is the Embed API; `milvus_uri` is a `.db` path or an http(s) address."""

    root: Path
    data: Path
    home: Path
    live: bool
    model: str
    milvus_uri: str
    prefix: str
    folder: Path | None = None  # of one's own videos, for explore/explore.ipynb; None is the samples
    base_url: str = ""  # of the Embed API; empty is the published one
    api_key: str = field(repr=False)
    milvus_token: str = field(repr=False)

    def __repr__(self) -> str:
        shown = ((f.name, getattr(self, f.name)) for f in fields(self) if f.repr)
        return f"Settings({', '.join(f'{n}={without_password(v)!r}' for n, v in shown)})"


def check_settings(settings: object, error: type[VideoSearchError]) -> None:
    """Raise `error` unless these are settings."""
    if not isinstance(settings, Settings):
        raise error(f"The settings are a {type(settings).__name__}: give what load_settings returned.")


def without_password(value: Any) -> Any:
    """An address without what stands before its @; any other value as it is."""
    return re.sub(r"(?<=://)[^/@\s]*@", "", value) if isinstance(value, str) else value


def is_http_address(url: str) -> bool:
    """Whether this is an http(s) address of a host, and of a port that there can be."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False


def is_local(url: str) -> bool:
    """Whether an address is on this machine, such as that of a practice server."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    with suppress(ValueError):
        number = ipaddress.ip_address(host)
        number = getattr(number, "ipv4_mapped", None) or number
        return number.is_loopback or number.is_unspecified  # 0.0.0.0, as servers say where they listen
    return host == "localhost" or host.endswith(".localhost")


def env_file() -> dict[str, str]:
    """What the `.env` file of the checkout says; empty without one. SettingsError where it cannot be read.

    UTF-8 and, with the mark that PowerShell writes in front, UTF-16 are read. Of another encoding nobody can
    say which it is, and a wrong guess would change a key or a path.
    """
    path = ROOT / ".env"
    if (path / "pyvenv.cfg").is_file():  # a Python environment of that name holds no switches
        return {}
    try:
        data = path.read_bytes()
        text = data.decode("utf-16" if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig")
        if "\0" in text:
            raise ValueError("NUL")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsError(
            f"The file {path} cannot be read ({error.strerror}): make it a text file that you may read, or move "
            "it away and set the variables in the shell."
        ) from error
    except ValueError as error:
        raise SettingsError(
            f"The file {path} is not in UTF-8: open it in an editor and save it with that encoding, or set the "
            "variables in the shell."
        ) from error
    return {name: value for name, value in dotenv_values(stream=StringIO(text)).items() if value is not None}


def plain_progress() -> bool:
    """Whether outputs are to be compared: then no progress bar appears."""
    return os.environ.get("VIDEO_SEARCH_PROGRESS") == "plain"


def load_settings(notebook: str | None = None) -> Settings:
    """Read the switches; `notebook` ("04") gives each notebook a Milvus Lite folder of its own.

    In a notebook, errors of this project are one sentence from here on, with the traceback folded below.

    Raises SettingsError for a switch with a value that means nothing, for a model that is not known, and for
    live mode without a key.
    """
    show_errors_briefly()
    if notebook is not None and not (isinstance(notebook, str) and re.fullmatch(r"[\w .-]*", notebook)):
        raise SettingsError(f"The notebook is {notebook!r}: give its number as text, such as '04'.")
    env = env_file() | dict(os.environ)

    def read(*names: str) -> str:
        return next((env[n].strip() for n in names if env.get(n, "").strip()), "")

    key = read("TWELVE_LABS_API_KEY", "TWELVELABS_API_KEY")
    mode = read("VIDEO_SEARCH_MODE") or ("live" if key else "offline")
    if mode not in ("live", "offline"):
        raise SettingsError(f"VIDEO_SEARCH_MODE is {mode!r}: set it to live or offline, or leave it out.")
    if mode == "live" and not key:
        raise SettingsError(
            "VIDEO_SEARCH_MODE is live, but there is no key: set TWELVE_LABS_API_KEY, or set the mode to offline."
        )
    if mode == "live" and not re.fullmatch(r"[ -~]*", key):  # else no header could carry it
        raise SettingsError(
            "TWELVE_LABS_API_KEY holds a character that no key has, such as a curly quotation mark: copy the "
            "key once more from your account's page."
        )
    base_url = read("TWELVELABS_BASE_URL")
    if base_url and not is_http_address(base_url):
        raise SettingsError(
            f"TWELVELABS_BASE_URL is {without_password(base_url)!r}, which is no address: unset it, or write it "
            "as http://127.0.0.1:8800/v1.3."
        )
    model = model_facts((read("TWELVE_LABS_MODEL") or LIVE_MODEL) if mode == "live" else OFFLINE_MODEL)
    uri = read("MILVUS_URI")
    try:
        home = Path(read("VIDEO_SEARCH_HOME") or ROOT / ".video-search").expanduser().absolute()
        own = read("VIDEO_SEARCH_FOLDER")
        folder = Path(own).expanduser().absolute() if own else None
        prefix = _prefix(read("MILVUS_PREFIX") or (getpass.getuser() if uri else ""))
    except RuntimeError as error:
        raise SettingsError(
            "VIDEO_SEARCH_HOME or VIDEO_SEARCH_FOLDER begins with ~ and a name that this machine does not know: "
            "write the whole path."
        ) from error
    except (KeyError, OSError) as error:  # a container may run under a number that has no name
        raise SettingsError(
            "This machine has no name for you to put before the collections: set MILVUS_PREFIX to one."
        ) from error
    return Settings(
        root=ROOT,
        data=ROOT / "data",
        home=home,
        folder=folder,
        live=mode == "live",
        model=model.name,
        milvus_uri=uri or str(home / "milvus" / f"{notebook or 'default'}.db"),
        prefix=prefix,
        base_url=base_url,
        api_key=key if mode == "live" else "",
        milvus_token=read("MILVUS_TOKEN"),
    )


def _prefix(name: str) -> str:
    """A name as Milvus takes it in front of another: ASCII, no digit first, and `_` as its end."""
    clean = re.sub(r"\W", "_", name, flags=re.ASCII)
    clean = f"_{clean}" if clean[:1].isdigit() else clean
    return clean if not clean or clean.endswith("_") else f"{clean}_"


def make_home(settings: Settings) -> Path:
    """Make the folder for databases, caches and logs; SettingsError where it cannot be written."""
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        probe = settings.home / ".write-test"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise SettingsError(
            f"The folder {settings.home} cannot be written ({error.strerror}): "
            "set VIDEO_SEARCH_HOME to a folder of your own."
        ) from error
    return settings.home


def check_environment() -> "pd.DataFrame":
    """One row per thing that the notebooks need: `check`, `found`, `status` ("ok" or what to do)."""
    import pandas as pd  # half a second, which nobody who only reads the switches should wait

    settings = load_settings()
    free = shutil.disk_usage(make_home(settings)).free / 1e9
    python = sys.version_info[:2]
    supported = (3, 11) <= python <= (3, 13)
    server = settings.milvus_uri if "://" in settings.milvus_uri else ""
    damaged = [name for name in ("models", "fixtures") if not _is_whole(settings.data / name)]
    rows = [
        ("Python", ".".join(map(str, python)), "ok" if supported else "install Python 3.11, 3.12 or 3.13"),
        *(_package(name) for name in ("twelvelabs", "pymilvus", "milvus-lite", "pandas")),
        ("Embed API", "live" if settings.live else "offline: no key, no network", "ok"),
        ("model", settings.model, "ok"),
        (
            "models and fixtures",
            f"damaged: {', '.join(damaged)}" if damaged else "whole",
            "run `git checkout -- data`" if damaged else "ok",
        ),
        (
            "Milvus",
            without_password(server) or "Milvus Lite, a folder per notebook",
            "ok" if not server or _answers(server) else "start it, or mend MILVUS_URI",
        ),
        ("free disk", f"{'more' if free > 1 else 'less'} than 1 GB", "ok" if free > 1 else "make some room"),
    ]
    if settings.base_url:
        address = without_password(settings.base_url)
        status = "ok" if is_local(address) else "every call goes here: unset it unless you meant this"
        rows.append(("TWELVELABS_BASE_URL", address, status))
    return pd.DataFrame(rows, columns=["check", "found", "status"])


def _package(name: str) -> tuple[str, str, str]:
    """The installed version of a package against the pin in requirements.txt."""
    pins = re.findall(rf"^{name}==(\S+)", (ROOT / "requirements.txt").read_text("utf-8"), flags=re.MULTILINE)
    found = version(name)
    return name, found, "ok" if [found] == pins else f"install {name}=={''.join(pins)}, as `make lab` does"


def _is_whole(folder: Path) -> bool:
    """Whether the files that the folder's manifest names are there, and are the published ones."""
    digests = published_digests(folder)
    return bool(digests) and all(is_published(folder / name, digest) for name, digest in digests.items())


def _answers(uri: str) -> bool:
    """Whether somebody listens at an http(s) address; nobody does at what is none."""
    if not is_http_address(uri):
        return False
    address = urlsplit(uri)
    port = address.port or (443 if address.scheme == "https" else 19530)
    try:
        socket.create_connection((address.hostname or "", port), timeout=3).close()
    except OSError:
        return False
    return True
