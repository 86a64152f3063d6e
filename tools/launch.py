"""Badges that open the notebooks in Binder, Codespaces and Colab: `python -m tools.launch`, or `make launch`.

They need the address of the repository on GitHub, `repo-url` under [tool.video-search] in pyproject.toml. While it is
empty there are none. With it, the README gets its badges, and `colab/` a copy of each lesson with a first cell that
fetches the rest, since Colab opens one file only.
"""

import re
import shutil
import sys
import tomllib
from pathlib import Path

import nbformat

from helpers.files import write_file
from helpers.settings import ROOT
from tools.mine import stripped

START, END = "<!-- launch: written by make launch -->", "<!-- /launch -->"
GITHUB = re.compile(r"https://github\.com/([\w.-]+)/([\w.-]+?)(?:\.git)?/?")
FETCH = """\
# Colab opens this file alone: fetch the other files, and the packages. If Colab asks, restart the session, and run
# this cell again.
import sys

![ -d {folder} ] || git clone --quiet --depth 1 {url} {folder}
%cd {folder}
!pip install --quiet -r requirements.txt
%cd notebooks
sys.path.insert(0, "{folder}")  # what is installed in a session that runs is found in the next one only"""


def fetching(url: str, *, folder: str = "/content/video-search") -> str:
    """The first cell of a notebook on Colab. It may be run twice."""
    return FETCH.format(url=url, folder=folder)


def repo_url(root: Path = ROOT) -> str:
    """The setting; "" while there is none."""
    settings = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    return str(settings["tool"]["video-search"]["repo-url"])


def badges(url: str) -> str:
    """The line of Markdown that the README gets; SystemExit for an address that is none of a GitHub repository."""
    if not url:
        return ""
    if not (named := GITHUB.fullmatch(url)):
        raise SystemExit(f"repo-url is {url!r}: write https://github.com/OWNER/REPOSITORY.")
    name = "/".join(named.groups())
    places = {
        "Binder": f"https://mybinder.org/v2/gh/{name}/HEAD?urlpath=lab/tree/notebooks",
        "Codespaces": f"https://codespaces.new/{name}",
        "Colab": f"https://colab.research.google.com/github/{name}/blob/HEAD/colab/01_setup.ipynb",
    }
    return "Open it in " + " · ".join(f"[{place}]({address})" for place, address in places.items()) + ".\n"


def with_badges(readme: str, url: str) -> str:
    """The README with the badges of this address between its two marks."""
    before, _, rest = readme.partition(START)
    return f"{before}{START}\n{badges(url)}{END}{rest.partition(END)[2]}"


def write_colab(root: Path, url: str) -> list[Path]:
    """The lessons with a cell that fetches the rest, into `colab/`; without an address the folder goes."""
    folder = root / "colab"
    if not url:
        shutil.rmtree(folder, ignore_errors=True)
        return []
    folder.mkdir(exist_ok=True)
    made = []
    for path in sorted((root / "notebooks").glob("[0-9]*.ipynb")):
        notebook = nbformat.reads(stripped(path).decode(), as_version=4)
        notebook.cells.insert(0, nbformat.v4.new_code_cell(fetching(url), id="fetch"))
        write_file(folder / path.name, f"{nbformat.writes(notebook)}\n".encode())
        made.append(folder / path.name)
    return made


def main(root: Path = ROOT) -> int:
    url = repo_url(root)
    readme = root / "README.md"
    write_file(readme, with_badges(readme.read_text("utf-8"), url).encode())
    made = write_colab(root, url)
    print(
        f"Badges for {url}, and {len(made)} notebooks in colab/." if url else "repo-url is empty: no badges."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
