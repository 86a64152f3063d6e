"""Record the live service's answers for the sample videos and the notebooks' queries: `make record`.

For your own use, into recordings/<model>/ (git-ignored), never mixed with the fixtures in data/. Check the
service's terms before you pass them on. Needs TWELVE_LABS_API_KEY; says first what it will ask for, and asks
whether to go on. `make record ARGS="--yes --price 0.03"` does not ask, and reckons with your price of a minute.
What is in the cache already costs nothing, so an interrupted run goes on.

Read them with `pandas.read_parquet`; the table of segments can go to `insert_segments` as it is.
"""

import argparse
import json
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from helpers import (
    VideoSearchError,
    cached_videos,
    connect_twelvelabs,
    embed_batch,
    embed_text,
    estimate_cost,
    load_settings,
    sample_videos,
)
from helpers.settings import ROOT


def record(folder: Path, *, sure: bool, price: float | None = None) -> int:
    """Write segments.parquet, queries.parquet, report.csv and manifest.json; the exit code."""
    settings = load_settings()
    if not settings.live:
        print("There is no key: set TWELVE_LABS_API_KEY to record the live service's answers.")
        return 2
    client, videos = connect_twelvelabs(settings), sample_videos()
    texts = [line for line in (ROOT / "data" / "queries.txt").read_text("utf-8").splitlines() if line]
    known = cached_videos(client, videos)
    print(estimate_cost(videos, model=settings.model, cached=known, price_per_minute=price).to_string())
    print(f"and {len(texts)} short queries, less those in the cache, with {settings.model}")
    if not sure and input("Go on? [y/N] ").strip().lower() != "y":
        return 1
    batch = embed_batch(client, videos)
    target = folder / settings.model
    target.mkdir(parents=True, exist_ok=True)
    batch.report.to_csv(target / "report.csv", index=False)
    if len(batch.segments):
        batch.segments.to_parquet(target / "segments.parquet", index=False)
    rows = [{"query": text, "embedding": embed_text(client, text).vector} for text in texts]
    pd.DataFrame(rows).to_parquet(target / "queries.parquet", index=False)
    about = {
        "model": settings.model,
        "recorded_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "sdk": version("twelvelabs"),
        "segments": len(batch.segments),
        "queries": len(rows),
    }
    (target / "manifest.json").write_text(json.dumps(about, indent=1) + "\n", "utf-8")
    left = int((~batch.report["status"].isin(["done", "cached"])).sum())
    print(
        f"{about['segments']} segments and {len(rows)} queries are in {target.name}/, {left} videos are left."
    )
    return 1 if left else 0


def main(arguments: list[str]) -> int:
    try:
        parser = argparse.ArgumentParser(prog="make record", description=__doc__)
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument("--price", type=float, help="what a minute of video costs you, for the estimate")
        given = parser.parse_args(arguments)
        return record(ROOT / "recordings", sure=given.yes, price=given.price)
    except VideoSearchError as error:
        print(error)
        return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
