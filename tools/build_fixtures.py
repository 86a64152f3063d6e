"""Rebuild data/fixtures from the videos, the descriptions and the models: `make fixtures`.

`python -m tools.build_fixtures queries` rebuilds the queries only. `--new-model` replaces the answers of another
model: then, and only then, no vector is compared with the old ones.

Everything goes through the real SDK and the offline transport with its cached answers left out, so the
fixtures are what the encoder says, and nothing else. Prints the smallest cosine between old and new vectors
and fails below 0.999: then a model, a video or a library has changed, and the change must be understood.
"""

import argparse
import hashlib
import json
import os
import sys
import tempfile
from datetime import date
from importlib.metadata import version

import httpx
import numpy as np
import pandas as pd
from twelvelabs import TwelveLabs

from helpers.embed.queries import embed_image, embed_text
from helpers.embed.tasks import run_task
from helpers.files import file_sha256, published_model
from helpers.models import model_facts
from helpers.segmentation import Segmentation
from helpers.settings import ROOT
from helpers.standin.encoder import MODEL
from helpers.standin.offline import OfflineTransport, cues_digest
from helpers.videos.cues import description_track

DATA, FIXTURES = ROOT / "data", ROOT / "data" / "fixtures"
SEGMENTATIONS = {
    "fixed-6": None,
    "dynamic-4": None,
    "fixed-3": ["big-buck-bunny"],
    "fixed-10": ["big-buck-bunny"],
}
KEYS = ["content", "option", "scope", "segmentation", "cues", "start_sec", "end_sec"]
PACKAGES = ("av", "numpy", "onnxruntime", "pillow", "tokenizers", "twelvelabs")


def texts() -> list[str]:
    """Every text that a notebook or the evaluation asks: data/queries.txt and the ground truth."""
    truth = pd.read_csv(DATA / "ground_truth.csv", keep_default_na=False)["query"]
    return sorted({*truth, *(DATA / "queries.txt").read_text("utf-8").splitlines()} - {""})


def segment_rows(client: TwelveLabs) -> pd.DataFrame:
    rows = []
    for segmentation, names in SEGMENTATIONS.items():
        for path in sorted((DATA / "videos").glob("*.mp4")):
            if names and path.stem not in names:
                continue
            cues = description_track(path)
            request = {
                "segmentation": Segmentation.parse(segmentation).request(model_facts(MODEL)),
                "time_based_metadata": [{"start": c.start, "end": c.end, "text": c.text} for c in cues],
            }
            for row in run_task(client, path, request, model=MODEL):
                rows.append(
                    {
                        "content": file_sha256(path),
                        "option": row.embedding_option,
                        "scope": row.embedding_scope,
                        "segmentation": segmentation,
                        "cues": cues_digest(cues) if row.embedding_option == "description" else "",
                        "start_sec": row.start_sec,
                        "end_sec": row.end_sec,
                        "embedding": np.asarray(row.embedding, dtype=np.float32),
                    }
                )
            print(f"{path.stem}: {segmentation}")
    return pd.DataFrame(rows)


def query_rows(client: TwelveLabs) -> pd.DataFrame:
    asked = [(t.encode(), t, embed_text(client, t)) for t in texts()]
    images = sorted((DATA / "images").glob("*.jpg"))
    asked += [(path.read_bytes(), path.name, embed_image(client, path)) for path in images]
    return pd.DataFrame(
        {
            "content": [hashlib.sha256(data).hexdigest() for data, _, _ in asked],
            "source": [source for _, source, _ in asked],
            "embedding": [query.vector for _, _, query in asked],
        }
    )


def smallest_cosine(old: pd.DataFrame, new: pd.DataFrame, keys: list[str]) -> float:
    """Over the rows that both tables have; nan if they share none."""
    both = old.merge(new, on=keys, suffixes=("_old", "_new"))
    if both.empty:
        return float("nan")
    a, b = (np.stack(both[f"embedding_{side}"].to_list()) for side in ("old", "new"))
    return float(((a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)).min())


def write(name: str, table: pd.DataFrame, keys: list[str]) -> tuple[dict[str, object], float]:
    path = FIXTURES / name
    same = published_model(FIXTURES) == MODEL and path.exists()
    cosine = smallest_cosine(pd.read_parquet(path), table, keys) if same else float("nan")
    table.to_parquet(path, index=False)
    return {"sha256": file_sha256(path), "rows": len(table)}, cosine


def main() -> None:
    parser = argparse.ArgumentParser(description="Rebuild data/fixtures.")
    parser.add_argument("only", nargs="?", choices=["queries"], help="leave the videos' vectors as they are")
    parser.add_argument("--new-model", action="store_true", help="the old vectors are another model's")
    chosen = parser.parse_args()
    only_queries = chosen.only == "queries"  # minutes become seconds when no video has changed
    known = published_model(FIXTURES)
    if known and (known != MODEL) != chosen.new_model:
        sys.exit(f"data/fixtures is of {known}, the encoder of {MODEL}: --new-model is for two that differ.")
    if chosen.new_model and only_queries:
        sys.exit("A new model changes the videos' vectors too: rebuild all.")
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"VIDEO_SEARCH_MODE": "offline", "VIDEO_SEARCH_HOME": home}
        transport = OfflineTransport(models=DATA / "models", fixtures=None)
        client = TwelveLabs(api_key="offline", httpx_client=httpx.Client(transport=transport))
        FIXTURES.mkdir(exist_ok=True)
        rows = pd.read_parquet(FIXTURES / "segments.parquet") if only_queries else segment_rows(client)
        segments, low = write("segments.parquet", rows, KEYS)
        queries, low_queries = write("queries.parquet", query_rows(client), ["content"])
        transport.close()
    inputs = [
        *sorted((DATA / "videos").glob("*.mp4")),
        *sorted((DATA / "descriptions").glob("*.vtt")),
        *sorted((DATA / "images").glob("*.jpg")),
        *(p for p in sorted((DATA / "models").iterdir()) if p.suffix in (".onnx", ".npy", ".json")),
    ]
    manifest = {
        "what": "Answers of the offline Embed API for the sample videos and the notebooks' queries.",
        "when": date.today().isoformat(),
        "model": MODEL,
        "packages": {name: version(name) for name in PACKAGES},
        "inputs": {p.relative_to(DATA).as_posix(): file_sha256(p) for p in inputs},
        "outputs": {"segments.parquet": segments, "queries.parquet": queries},
    }
    path = FIXTURES / "manifest.json"
    old = json.loads(path.read_text("utf-8")) if path.exists() else {}
    if {**old, "when": ""} != {**manifest, "when": ""}:
        path.write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")
    if chosen.new_model:
        print(
            f"{segments['rows']} segment and {queries['rows']} query vectors of {MODEL}, instead of {known}"
        )
        return
    print(f"{segments['rows']} segment vectors, smallest cosine to the old ones {low:.6f}")
    print(f"{queries['rows']} query vectors, smallest cosine to the old ones {low_queries:.6f}")
    if min(low, low_queries) < 0.999:
        sys.exit("The rebuilt fixtures differ from the old ones: find out why before you commit them.")


if __name__ == "__main__":
    main()
