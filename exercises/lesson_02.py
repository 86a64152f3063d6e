"""Checks of the exercises for notebook 02."""

import re
from typing import Any

import numpy as np
import pandas as pd

from exercises.checking import Wrong, answer_of, exercise, number, table_with


@exercise("02.cut")
def cut(segments: Any) -> str:
    table = table_with(segments, "segmentation", "embedding_scope")
    if table["segmentation"].iloc[0] != "fixed-3":
        raise Wrong(f"these are cut as {table['segmentation'].iloc[0]}: embed_videos takes segmentation=….")
    clips = int(table["embedding_scope"].eq("clip").sum())
    if clips < 150:
        raise Wrong(f"{clips} clips are not the whole video: keep all that embed_videos returns.")
    return f"clips of half the length are twice as many: {clips}. Each costs a row, but blends fewer scenes."


@exercise("02.words")
def words(asked: Any, hits: Any) -> str:
    if not isinstance(asked, str):
        raise Wrong(
            f"words are wanted, and this is a {type(asked).__name__}: put them between quotation marks."
        )
    if used := re.findall(r"\b(tower|lake)\b", asked.lower()):
        raise Wrong(f"the word {used[0]!r} is in the title: say what one would see.")
    table = table_with(hits, "title", "score")
    if table["title"].iloc[0] != "Tower at the lake":
        raise Wrong(f"the first hit is {table['title'].iloc[0]!r}: try the building's roof, walls or style.")
    return f"the model found it with a score of {table['score'].iloc[0]:.3f}, by what it looks like."


@exercise("02.cosine")
def cosine(function: Any) -> str:
    pairs = {
        "the same arrow": ([1, 2, 2], [1, 2, 2], 1),
        "one arrow twice as long": ([1, 2, 2], [2, 4, 4], 1),
    }
    pairs |= {"arrows at right angles": ([1, 0], [0, 3], 0), "opposite arrows": ([1, 1], [-2, -2], -1)}
    for what, (a, b, right) in pairs.items():
        answer = number(answer_of(function, np.array(a, float), np.array(b, float)))
        if not np.isclose(answer, right, atol=1e-6):
            raise Wrong(f"for {what} it returns {answer:.3g}: divide the dot product by both norms.")
    return "the length of the arrows no longer matters, only their direction."


@exercise("02.like")
def like(function: Any, *, clips: pd.DataFrame) -> str:
    table = clips.reset_index(drop=True)
    matrix = np.stack(table["embedding_visual"].to_list())
    matrix = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    for row in (0, len(table) // 2, len(table) - 1):
        answer = answer_of(function, table, row)
        if isinstance(answer, bool) or not isinstance(answer, int | np.integer):
            raise Wrong(
                f"the number of a row is wanted, and your function returns a {type(answer).__name__}."
            )
        if not 0 <= answer < len(table):
            raise Wrong(f"there is no row {answer}: rows are numbered from 0 to {len(table) - 1}.")
        if answer == row:
            raise Wrong(f"row {row} itself comes back: nothing is nearer to a clip than the clip.")
        if table["video_id"].iloc[answer] == table["video_id"].iloc[row]:
            raise Wrong(f"for row {row} a clip of the same video comes back: leave that video out.")
        near = matrix @ matrix[row]
        near[table["video_id"].eq(table["video_id"].iloc[row]).to_numpy()] = -2
        if not np.isclose(near[answer], near.max(), atol=1e-5):
            raise Wrong(f"for row {row} another video has a nearer clip: take the largest cosine.")
    return "this is the 'more like this' of every video site, without its own video."
