"""Milvus 2.3.5 from PyPI, kept in a folder of the project that git ignores, apart from the project's environment."""

import lzma
import platform
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from helpers.settings import ROOT

VERSION = "2.3.5"  # the newest that PyPI has for Linux
HOME = ROOT / ".milvus-server" / VERSION  # 500 MB: packages/ as pip writes them, bin/ unpacked


class NoServer(Exception):
    """Why there is no server, in a sentence."""


class UnsuitableMachine(NoServer):
    """Why this machine cannot run it, whatever is installed: another system, or no right to a network namespace."""


def check_machine() -> None:
    """UnsuitableMachine unless the server runs here: on Linux x86_64, where a process may have a network of its own."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise UnsuitableMachine(
            f"Milvus {VERSION} of PyPI is for Linux x86_64, not {sys.platform} {platform.machine()}."
        )
    if shutil.which("unshare") is None:
        raise UnsuitableMachine(
            "There is no `unshare` here (package util-linux), so the server cannot be kept to loopback."
        )
    if subprocess.run([*isolation(), "true"], capture_output=True, check=False).returncode:
        raise UnsuitableMachine(
            "This user may not make a network namespace, so the server cannot be kept to loopback: run as root, or "
            "allow it (Ubuntu: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0)."
        )


def isolation() -> list[str]:
    """The command that gives a process a network of its own; without root it is root in a user namespace."""
    return ["unshare", "--map-root-user", "--net", "--"]


def install() -> Path:
    """The folder with bin/ and packages/; the first time, 56 MB are fetched and unpacked to 500 MB."""
    if HOME.is_dir():
        return HOME
    HOME.parent.mkdir(exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix="new-", dir=HOME.parent))
    try:
        print(
            f"Installing Milvus {VERSION} into {HOME.relative_to(ROOT)}, half a minute the first time.",
            flush=True,
        )
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        wheel = ["--only-binary=:all:", "--target", str(made / "packages"), f"milvus=={VERSION}"]
        if subprocess.run([*pip, *wheel], check=False).returncode:
            raise NoServer(f"Milvus {VERSION} could not be installed from PyPI: see the lines above.")
        packed = made / "packages" / "milvus" / "data" / "bin"
        (made / "bin").mkdir()
        for file in packed.glob("*.lzma"):
            with lzma.open(file) as source, (made / "bin" / file.stem).open("wb") as target:
                shutil.copyfileobj(source, target)
            (made / "bin" / file.stem).chmod(0o755)
        shutil.rmtree(packed)
        with suppress(OSError):  # somebody else was faster
            made.rename(HOME)
        if not HOME.is_dir():
            raise NoServer(
                f"Milvus {VERSION} could not be moved into {HOME.relative_to(ROOT)}: may you write there?"
            )
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return HOME
