"""The environment in which notebooks are run by machines: offline, alone, and the same every time."""

import os
import sys
from pathlib import Path

from helpers.settings import ROOT

# Empty, not unset: an empty variable also silences the same line of a learner's .env file.
SWITCHES = (
    "TWELVE_LABS_API_KEY",
    "TWELVELABS_API_KEY",
    "TWELVE_LABS_MODEL",
    "MILVUS_URI",
    "MILVUS_TOKEN",
    "MILVUS_PREFIX",
    "VIDEO_SEARCH_FOLDER",
    "VIDEO_SEARCH_RERUN",
)
# MPLBACKEND would replace the inline figures; the rest lead to somebody's own settings.
UNSET = (
    "TWELVELABS_BASE_URL",
    "MPLBACKEND",
    "MATPLOTLIBRC",
    "PYTHONSTARTUP",
    "PYTHONWARNINGS",
    "JUPYTER_PATH",
)


def offline_environment(home: Path) -> dict[str, str]:
    """The environment variables of this process, made offline and apart from a learner's own.

    home: a temporary folder; databases, caches and Jupyter's files go there, so that a run neither sees nor
    disturbs what a learner has open. Threads and hash seed are fixed, so that numbers and orders repeat.
    """
    env = {k: v for k, v in os.environ.items() if k not in UNSET and not k.startswith("PYTEST_")}
    env |= dict.fromkeys(SWITCHES, "")
    env |= {
        "VIDEO_SEARCH_MODE": "offline",
        "VIDEO_SEARCH_HOME": str(home / "video-search"),
        "VIDEO_SEARCH_PROGRESS": "plain",
        "PYTHONHASHSEED": "0",
        "TZ": "UTC",
        "JUPYTER_CONFIG_DIR": str(home / "jupyter" / "config"),
        "JUPYTER_CONFIG_PATH": "",
        "JUPYTER_DATA_DIR": str(home / "jupyter" / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "jupyter" / "runtime"),
        "IPYTHONDIR": str(home / "ipython"),
        # Kept with the packages: Matplotlib takes seconds to list the fonts, and once is enough.
        "MPLCONFIGDIR": str(Path(sys.prefix) / "var" / "matplotlib"),
    }
    env |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    return env


def notebook_paths(names: list[str]) -> list[Path]:
    """The notebooks of these names ("03_insertion", or a path), in order; without names, all lessons."""
    if not names:
        return sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
    found = [
        Path(name) if name.endswith(".ipynb") else ROOT / "notebooks" / f"{name}.ipynb" for name in names
    ]
    missing = [str(path) for path in found if not path.is_file()]
    if missing:
        raise SystemExit(f"There is no notebook {', '.join(missing)}.")
    return [path.resolve() for path in found]


def compared_paths(names: list[str]) -> list[Path]:
    """The notebooks whose outputs are committed and compared: those named, or all lessons and solutions."""
    solutions = sorted((ROOT / "notebooks" / "solutions").glob("[0-9]*.ipynb"))
    return notebook_paths(names) + ([] if names else solutions)
