"""Build the book into a folder that git ignores: `python -m tools.book`; it prints where its first page is."""

import argparse
import shutil
from pathlib import Path

from sphinx.cmd.build import main as sphinx_build

from helpers.settings import ROOT
from tools.book.sources import Sources


def build(folder: Path) -> Path:
    """Write the pages' sources into `folder`, let Sphinx make HTML of them, put the videos beside it; the first page.

    What an earlier build left there is removed, so that nothing stale stays.

    RuntimeError where Sphinx warns: a link that leads nowhere, an output that it cannot show.
    """
    sources, pages = Sources(folder / "source"), folder / "html"
    for old in (sources.folder, pages):
        shutil.rmtree(old, ignore_errors=True)
    sources.write()
    options = ["--quiet", "--fail-on-warning", "--fresh-env", "--jobs=auto", "-c", str(Path(__file__).parent)]
    if sphinx_build([*options, "-d", str(folder / "doctrees"), str(sources.folder), str(pages)]):
        raise RuntimeError("Sphinx warned: see the lines above.")
    for video in sources.videos:
        target = pages / video
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / video, target)
    return pages / "index.html"


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the notebooks as a static site.")
    parser.add_argument("--folder", type=Path, default=ROOT / "_book", help="by default _book/")
    print(build(parser.parse_args().folder.resolve()))


if __name__ == "__main__":
    main()
