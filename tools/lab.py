"""Start JupyterLab on the notebooks: `python -m tools.lab [more JupyterLab options]`.

The server's root is the checkout, not notebooks/, because the players read ../data/videos/.
"""

import os
import sys
from pathlib import Path

from helpers.settings import ROOT


def main(arguments: list[str]) -> None:
    """Become JupyterLab."""
    if folder := os.environ.get("VIDEO_SEARCH_FOLDER"):  # as named here, not from a notebook's folder on
        os.environ["VIDEO_SEARCH_FOLDER"] = os.path.abspath(os.path.expanduser(folder))
    # Its news would ask the network, and open a box over the first notebook.
    paths = [str(ROOT / "tools" / "jupyter"), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, paths))
    # JupyterLab asks its own yarn.js for settings. Node takes it for a module of today's kind, and prints its
    # thousands of letters, if the nearest package.json says so: that of this checkout does.
    if Path(sys.prefix).is_relative_to(ROOT) and not (nearer := Path(sys.prefix, "package.json")).exists():
        nearer.write_text("{}\n", "utf-8")
    from jupyterlab.labapp import main as lab

    ours = {
        "--ServerApp.root_dir": ROOT,
        "--LabApp.default_url": "/lab/tree/notebooks",
        "--LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager": "readonly",
    }
    given = {argument.partition("=")[0] for argument in arguments}  # Jupyter takes none of two values
    options = [f"{name}={value}" for name, value in ours.items() if name not in given]
    if getattr(os, "geteuid", lambda: 1)() == 0:  # in a container; the server listens on this machine only
        options.append("--allow-root")
    sys.exit(lab([*options, *arguments]))


if __name__ == "__main__":
    main(sys.argv[1:])
