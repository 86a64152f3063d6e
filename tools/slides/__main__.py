"""Make the slides of all lessons in `_slides/`, which git ignores: `python -m tools.slides`, or `make slides`.

reveal.js comes from node_modules (`package.json` pins it) and is copied, so that no network is needed to show them.
Videos are played from `data/`, so the folder stays in the checkout.
"""

import argparse
import shutil
from pathlib import Path

from helpers.files import write_file
from helpers.settings import ROOT
from tools.slides.deck import index, page
from tools.workshop.sections import lesson_paths

REVEAL = ROOT / "node_modules" / "reveal.js"
ASSETS = (
    "LICENSE",
    "dist/reveal.js",
    "dist/reveal.css",
    "dist/theme/white.css",
    "dist/theme/fonts/source-sans-pro",
)


def build(folder: Path, lessons: list[Path]) -> Path:
    """Write the slides of these lessons, an index, and what they need, into `folder`; the index.

    What an earlier run left there is removed. SystemExit where reveal.js is not installed.
    """
    if not REVEAL.is_dir():
        raise SystemExit("reveal.js is not there: install node and npm, then `make slides` fetches it.")
    shutil.rmtree(folder, ignore_errors=True)
    for asset in ASSETS:
        source, target = REVEAL / asset, folder / "reveal" / asset
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)
    for own in ("slides.css", "slides.js"):
        shutil.copyfile(Path(__file__).with_name(own), folder / own)
    titles = {}
    for path in lessons:
        write_file(folder / f"{path.stem}.html", page(path).encode())
        titles[f"{path.stem}.html"] = path.stem.replace("_", " ")
    write_file(folder / "index.html", index(titles).encode())
    return folder / "index.html"


def main() -> None:
    argparse.ArgumentParser(description="Make the slides of all lessons in _slides/.").parse_args()
    print(build(ROOT / "_slides", lesson_paths()))


if __name__ == "__main__":
    main()
