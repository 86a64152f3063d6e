"""Make the files behind the look of a picture: `python -m tools.export_look`, about a minute.

It needs `pip install onnx` (at the version of requirements-export.txt), but no PyTorch. It gives vision.onnx the
pooled features as a second output (the values before the last layer), if it lacks them, and writes

* look_projection.npy: the 128 directions of the features to which the last layer listens most, its first
  right-singular vectors;
* look_mean.npy: the mean of the features over photos that are not among the samples. Only the mean is kept.

Both come from nothing that the samples show. tools/export_models.py does the same after a full export.
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from PIL import Image

from helpers.standin.encoder import LOOK, Array, pixels
from tools.model_files import MODELS, PHOTOS, fetch, sample_pictures, write_manifest

PROBABILITIES, FEATURES = "probabilities", "features"


def last_layer(model: onnx.ModelProto) -> onnx.NodeProto:
    """The one fully connected layer of the network."""
    (layer,) = (node for node in model.graph.node if node.op_type == "Gemm")
    return layer


def last_weights(model: onnx.ModelProto) -> Array:
    """(1000, 1280): what the last layer makes of the features."""
    name = last_layer(model).input[1]
    (weights,) = (tensor for tensor in model.graph.initializer if tensor.name == name)
    return np.asarray(numpy_helper.to_array(weights), np.float32)


def add_features(model: onnx.ModelProto) -> None:
    """Give out what goes into the last layer as the output `features`, (batch, 1280); no value changes."""
    old, size = last_layer(model).input[0], last_weights(model).shape[1]
    if old == FEATURES:
        return
    for node in model.graph.node:
        for names in (node.input, node.output):
            names[:] = [FEATURES if name == old else name for name in names]
    shape = ["batch", size]
    model.graph.output.append(helper.make_tensor_value_info(FEATURES, onnx.TensorProto.FLOAT, shape))


def projection(weights: Array) -> Array:
    """(1280, 128) orthonormal columns: the first right-singular vectors of the last layer's weights."""
    rows = np.linalg.svd(weights.astype(np.float64), full_matrices=False)[2][:LOOK]
    largest = np.take_along_axis(rows, np.abs(rows).argmax(axis=1)[:, None], axis=1)
    # The sign of a singular vector is free: fix it.
    return np.asarray((rows * np.sign(largest)).T, np.float32)


def photos(folders: Sequence[Path]) -> list[Path]:
    """The photos in the folders, each in one size."""
    return [
        path for folder in folders for path in sorted(folder.rglob("*.jpg")) if "Elephants_" not in path.name
    ]


def write_look(folder: Path, sources: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """Write the two files of the look into `folder`, where vision.onnx is; return what was measured."""
    file = folder / "vision.onnx"
    np.save(folder / "look_projection.npy", projection(last_weights(onnx.load(file))).astype(np.float16))
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    seen = []
    for path in photos(sources):
        with Image.open(path) as image:
            seen.append(session.run([FEATURES], {"pixels": pixels(image)})[0].mean(axis=0))
    np.save(folder / "look_mean.npy", np.mean(seen, axis=0, dtype=np.float64).astype(np.float32))
    return {"look_mean.npy": {"photos": len(seen)}}


def same_probabilities(before: onnx.ModelProto, after: onnx.ModelProto) -> int:
    """The number of sample frames, on all of which both networks give the same probabilities, bit by bit."""
    old, new = (
        onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        for model in (before, after)
    )
    pictures = sample_pictures()
    for image in pictures:
        feed = {"pixels": pixels(image)}
        if not np.array_equal(old.run([PROBABILITIES], feed)[0], new.run([PROBABILITIES], feed)[0]):
            sys.exit(
                "With the features as an output, the network gives other probabilities: nothing was changed."
            )
    return len(pictures)


def main() -> None:
    manifest = json.loads((MODELS / "manifest.json").read_text(encoding="utf-8"))["files"]
    measured: dict[str, dict[str, Any]] = {name: entry["measured"] for name, entry in manifest.items()}
    before, after = onnx.load(MODELS / "vision.onnx"), onnx.load(MODELS / "vision.onnx")
    add_features(after)
    onnx.checker.check_model(after, full_check=True)
    frames = same_probabilities(before, after)
    onnx.save(after, MODELS / "vision.onnx")
    with tempfile.TemporaryDirectory() as downloads:
        measured |= write_look(MODELS, [fetch(package, Path(downloads)) for package in PHOTOS])
    size = write_manifest(MODELS, measured)
    print(f"{frames} frames with the same probabilities as before; data/models holds {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
