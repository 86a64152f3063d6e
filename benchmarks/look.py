"""What the look adds to the offline model's vectors: `python -m benchmarks.look` from the checkout.

The vectors of `offline-512` hold both parts, so what its predecessor gave (names alone) is their first 384 numbers
at length one, and any weight of the look can be tried without the network. `--projections` runs the network on all
sample videos (minutes) and compares projections of its features. See benchmarks/README.md for what the lines mean.
"""

import argparse
import os
import tempfile
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from helpers.analysis.clusters import kmeans_clusters
from helpers.analysis.matrix import Matrix, cluster_matrix, unit_rows
from helpers.analysis.words import scene_labels
from helpers.embed.client import connect_twelvelabs
from helpers.embed.embedding import embed_videos
from helpers.embed.queries import embed_text
from helpers.search.evaluation import evaluate, load_ground_truth, summarise
from helpers.search.fusion import fuse
from helpers.settings import load_settings
from helpers.standin.encoder import LOOK, WORDS, Encoder, frame_times, sample_frames
from helpers.videos.samples import local_path, sample_videos
from tools.model_files import MODELS

WEIGHTS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
SEEDS = range(10)
HALF = 298.0  # seconds: the middle of Big Buck Bunny
Rows = npt.NDArray[np.bool_]


class Clips:
    """The clips of the samples, what was labelled in them by hand, and the parts that clips can be taken from."""

    def __init__(self, clips: pd.DataFrame) -> None:
        self.table = clips
        self.video, self.start = clips["video_id"].to_numpy(), clips["start_offset_sec"].to_numpy(float)
        labels = scene_labels(clips)
        self.labels = {column: labels[column].to_numpy() for column in ("who", "where")}
        self.film: Rows = self.video == clips["video_id"].mode()[0]
        self.all: Rows = np.ones(len(clips), dtype=bool)
        first: Rows = self.film & (self.start < HALF)
        self.parts = {
            "all": self.all,
            "film": self.film,
            "film, 1st half": first,
            "film, 2nd half": self.film & ~first,
            "photo films": ~self.film,
        }

    def nearest(self, matrix: Matrix, part: Rows) -> dict[str, float]:
        """The share of clips whose nearest clip, no neighbour in time, has the same label."""
        cosines = matrix[part] @ matrix[part].T
        video, start = self.video[part], self.start[part]
        near = (video[:, None] == video) & (np.abs(start[:, None] - start) <= 6.5)
        best = np.where(near, -np.inf, cosines).argmax(axis=1)
        return {name: float((of[part] == of[part][best]).mean()) for name, of in self.labels.items()}

    def clusters(self, matrix: Matrix, part: Rows, k: int) -> dict[str, float]:
        """Agreement of k-means with the labels: of seed 0, as in notebook 06, and the mean over ten seeds."""
        found = [kmeans_clusters(matrix[part], k, seed=seed) for seed in SEEDS]
        scores = {"ARI": adjusted_rand_score, "NMI": normalized_mutual_info_score}
        line: dict[str, float] = {}
        for name, of in self.labels.items():
            for measure, score in scores.items():
                values = [score(of[part], labels) for labels in found]
                line |= {
                    f"{name} {measure}": values[0],
                    f"{name} {measure}, 10 seeds": float(np.mean(values)),
                }
        return line


def together(names: Matrix, look: Matrix, weight: float) -> Matrix:
    """What is named and the look, `weight` times as long, as unit rows."""
    return unit_rows(np.hstack([names, np.float32(weight) * look]))


def show(title: str, lines: dict[str, dict[str, float]]) -> None:
    print(f"\n{title}\n{pd.DataFrame(lines).T.round(3).to_string()}", flush=True)


def nearest_of(
    clips: Clips, matrices: dict[str, Matrix], parts: Iterable[str]
) -> dict[str, dict[str, float]]:
    return {
        row: {
            f"{part}: {name}": share
            for part in parts
            for name, share in clips.nearest(matrix, clips.parts[part]).items()
        }
        for row, matrix in matrices.items()
    }


def hits_of(clips: pd.DataFrame, matrix: Matrix, query: Matrix) -> pd.DataFrame:
    """All clips as hits of one query, best first, as a search without a limit gives them."""
    score = (matrix @ query).astype(float)
    order = np.lexsort((clips["segment_id"].to_numpy(dtype=str), -score.round(6)))
    return (
        clips.iloc[order].assign(score=score[order], rank=np.arange(1, len(order) + 1)).reset_index(drop=True)
    )


def hybrid(clips: pd.DataFrame, segments: pd.DataFrame, options: dict[str, Matrix], queries: Matrix) -> None:
    """The measurement of notebook 05: a weight is chosen on one half of the queries, reported on the other."""
    truth = load_ground_truth()
    asked = truth[truth["video"] != ""].sort_values("query_id", kind="stable")
    keys = list(dict.fromkeys(asked["query_id"]))
    choosing, report = keys[::2], keys[1::2]
    lists: dict[str, dict[str, pd.DataFrame]] = {key: {} for key in keys}
    for option, rows in options.items():
        has = np.flatnonzero(rows.any(axis=1))
        for key, query in zip(keys, queries, strict=True):
            lists[key][option] = hits_of(clips.iloc[has], rows[has], query)

    def measure(**how: object) -> pd.DataFrame:
        fused = {key: fuse(legs, limit=10, **how) for key, legs in lists.items()}  # type: ignore[arg-type]
        return evaluate(fused, asked, segments=segments).set_index("query_id")

    weighted = {
        w: measure(ranker="weighted", weights={"visual": w, "description": 1 - w})
        for w in [step / 20 for step in range(21)]
    }
    means = {w: rows.loc[choosing, "ndcg@10"].mean() for w, rows in weighted.items()}
    tenth = max((w for w in means if round(10 * w) == 10 * w), key=lambda w: means[w])
    finer = max(means, key=lambda w: means[w])
    print(
        f"chosen: {tenth:.1f} of 11 weights (nDCG@10 {means[tenth]:.3f}), {finer:.2f} of 21 ({means[finer]:.3f})"
    )
    measured = {f"weighted (visual {w:.2f})": weighted[w] for w in sorted({0.0, tenth, finer, 0.5, 1.0})}
    measured |= {f"RRF, k = {k}": measure(k=k) for k in (1, 10, 60)}
    print(
        summarise({name: row.loc[report] for name, row in measured.items()}).round(3).to_string(), flush=True
    )


def projections(clips: Clips, names: Matrix) -> None:
    """Nearest clips by the network's features, whole and by several projections to as many numbers."""
    encoder, means = Encoder(MODELS), []
    for _, rows in clips.table.groupby("video_id", sort=False):
        path = local_path(rows["video_url"].iloc[0])
        spans = zip(rows["start_offset_sec"], rows["end_offset_sec"], strict=True)
        wanted = [frame_times(start, end) for start, end in spans]
        times = sorted({time for span in wanted for time in span})
        seen = dict(zip(times, encoder.look_at(sample_frames(path or "", times)), strict=True))
        means += [np.mean([seen[time].features for time in span], axis=0) for span in wanted]
    features = np.array(means, np.float64)
    centred = features - np.load(MODELS / "look_mean.npy")
    size = features.shape[1]
    found = {"features, no centre": features, "features": centred}
    found["their 128 singular directions"] = centred @ np.load(MODELS / "look_projection.npy").astype(float)
    for seed in range(5):
        found[f"128 random directions, {seed}"] = centred @ np.random.default_rng(seed).normal(
            size=(size, LOOK)
        )
    looks = {name: unit_rows(rows.astype(np.float32)) for name, rows in found.items()}
    parts = ("all", "film, 1st half", "film, 2nd half", "photo films")
    show("Nearest clip by the features alone", nearest_of(clips, looks, parts))
    both = {name: together(names, look, 1.0) for name, look in looks.items()}
    show("Nearest clip by what is named and the features", nearest_of(clips, both, parts))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--projections", action="store_true", help="run the network, and compare projections")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"VIDEO_SEARCH_MODE": "offline", "VIDEO_SEARCH_HOME": home}
        client = connect_twelvelabs(load_settings())
        segments = embed_videos(client, sample_videos())
        table = segments[segments["embedding_scope"] == "clip"].reset_index(drop=True)
        truth = load_ground_truth()
        asked = truth[truth["video"] != ""].sort_values("query_id", kind="stable")
        words = np.stack(
            [embed_text(client, text).vector for text in asked.drop_duplicates("query_id")["query"]]
        )
    clips, visual = Clips(table), cluster_matrix(table)
    names, look = unit_rows(visual[:, :WORDS]), unit_rows(visual[:, WORDS:])
    before_and_after = {"before: names alone": names, "after": visual, "look alone": look}
    show("Nearest clip", nearest_of(clips, before_and_after, ("all", "film", "photo films")))
    weights = {f"look weighs {w}": together(names, look, w) for w in WEIGHTS}
    parts = ("film, 1st half", "film, 2nd half", "photo films")
    show("Weights: chosen on the first part, reported on the others", nearest_of(clips, weights, parts))
    for title, part, k in (
        ("Clusters of all clips, k = 8", clips.all, 8),
        ("of the film, k = 6", clips.film, 6),
    ):
        show(title, {row: clips.clusters(rows, part, k) for row, rows in before_and_after.items()})
    centred = {row: unit_rows(rows - rows[clips.film].mean(axis=0)) for row, rows in before_and_after.items()}
    show("of the film, centred", {row: clips.clusters(rows, clips.film, 6) for row, rows in centred.items()})
    has = table["embedding_description"].notna()
    told = np.zeros_like(visual)
    told[has] = np.stack(list(table.loc[has, "embedding_description"]))
    print("\nHybrid, before")
    hybrid(table, segments, {"visual": names, "description": told[:, :WORDS]}, words[:, :WORDS])
    print("\nHybrid, after")
    hybrid(table, segments, {"visual": visual, "description": told}, words)
    if chosen.projections:
        projections(clips, names)


if __name__ == "__main__":
    main()
