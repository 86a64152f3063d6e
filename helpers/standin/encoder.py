"""The local encoder behind the offline Embed API: words, pictures and videos as unit vectors of one space.

A vector has 384 numbers for what is named and 128 for the look.

* Words: all-MiniLM-L6-v2, int8 weights, computed in float32 (`text.onnx`, `tokenizer.json`); their look is zero.
* Pictures, named: EfficientNet-Lite2 gives the probabilities of the 1000 ImageNet classes (`vision.onnx`), and
  ConSE (Norouzi et al. 2013, arXiv:1312.5650) carries them into the space of the words: normalise(p @ C), where
  a row of C (`concepts.npy`) is the text vector of a class.
* Pictures, look: the network's pooled features, before its last layer: normalise((f - mean) @ projection)
  (`look_mean.npy`, `look_projection.npy`). Two clips that look alike have names in common less often.

As all pictures give the same share to the look, it changes no order of pictures when words are searched for.

The files lie in data/models, made by tools/export_models.py. Texts and pictures pass through the networks
one by one, so that no vector depends on its neighbours. All times are seconds from the start of the video.
"""

import itertools
import math
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image, ImageOps
from tokenizers import Tokenizer

from helpers.errors import DataError, EmbedError, VideoError
from helpers.files import file_sha256, is_published, published_digests
from helpers.models import OFFLINE_MODEL, model_facts
from helpers.segmentation import Bounds
from helpers.standin.unfinished import Rows, Unfinished
from helpers.videos.clock import clock_of
from helpers.videos.cues import unread_reason
from helpers.videos.decode import passed_over, pictures, pictures_at

MODEL = OFFLINE_MODEL
DIMENSION = model_facts(MODEL).dimensions[0]
LOOK = 128  # of the numbers of a vector, at its end: the look
WORDS = DIMENSION - LOOK  # and before them: what is named
LOOK_WEIGHT = 1.0  # the length of the look beside what is named, of length 1; benchmarks/README.md says why
THREADS = os.cpu_count() or 1
SIDE = 260  # pixels: what EfficientNet-Lite2 was trained on
STRETCH = 20  # pictures, from one time that what was seen is put on disk to the next
Array = NDArray[np.float32]


class Seen(NamedTuple):
    """What the network says of a picture: (1000,) class probabilities and (1280,) pooled features."""

    probabilities: Array
    features: Array


class VideoVectors(NamedTuple):
    """`clips`: (n, 512), a unit row for each segment; `asset`: (512,), the whole video."""

    clips: Array
    asset: Array


class Encoder:
    """The models of `folder` (data/models). Nothing is opened before it is needed; threads may share one.

    Every method raises DataError where a model file is missing or is not the published one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def embed_texts(self, texts: Sequence[str]) -> Array:
        """(n, 512) unit rows, one for each text; of a text only the first 256 word pieces count."""
        rows = np.zeros((len(texts), DIMENSION), np.float32)
        for row, text in zip(rows, texts, strict=True):
            encoding = self._tokenizer.encode(text)
            feed = {"input_ids": [encoding.ids], "attention_mask": [encoding.attention_mask]}
            arrays = {name: np.array(numbers, np.int64) for name, numbers in feed.items()}
            row[:WORDS] = self._text.run(None, arrays)[0][0]
        return rows

    def is_too_long(self, text: str) -> bool:
        """Whether a text has more than the 256 word pieces that count."""
        return bool(self._tokenizer.encode(text).overflowing)

    def look_at(self, images: Iterable[Image.Image]) -> Iterator[Seen]:
        """Yield what is seen in each picture, in order: the mean over its crops (see `pixels`).

        The pictures are shared out among as many threads as there are cores; few are held at a time.
        """
        waiting: deque[Future[Seen]] = deque()
        network = self._vision
        for image in images:
            waiting.append(self._pool.submit(_see, network, image))
            if len(waiting) > 2 * THREADS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _rows(self, seen: Sequence[Seen]) -> Rows:
        """(n, 512): what is named and the look of each picture, not yet of length 1, so that means can be taken."""
        probabilities, features = (np.stack(part).astype(np.float64) for part in zip(*seen, strict=True))
        look = (features - self._look_mean) @ self._look_projection
        return np.hstack([probabilities @ self._concepts, look])

    def embed_image(self, image: Image.Image) -> Array:
        """(512,) unit vector of a picture, turned upright first if its EXIF data asks for that."""
        return _joined(self._rows([_see(self._vision, ImageOps.exif_transpose(image))]))

    def embed_segments(
        self, path: str | Path, bounds: Bounds, *, work: Unfinished | None = None
    ) -> VideoVectors:
        """Vectors of the segments, and of the video as the mean over all frames; it is decoded once.

        What `work` has is not looked at again; it is told what is new, and how far this is.
        Raises VideoError where the file is missing, is not a video or ends long before the last segment, EmbedError
        where `work.stop` is set.
        """
        work = work or Unfinished()
        wanted = [frame_times(start, end) for start, end in bounds]
        times = sorted({time for segment in wanted for time in segment})
        if not times:
            raise VideoError(f"{Path(path).name} was asked for no segments; give at least one start and end.")
        missing = [time for time in times if time not in work.rows]
        work.kept = work.done = 1 - len(missing) / len(times)
        seen = self.look_at(sample_frames(path, missing))
        while stretch := list(itertools.islice(seen, STRETCH)):
            if work.stop.is_set():
                raise EmbedError("Stopped before the end: embed the video again to go on.")
            now, missing = missing[: len(stretch)], missing[len(stretch) :]
            work.add(now, self._rows(stretch), passed_over(path))
            work.done = 1 - len(missing) / len(times)
        clips = [_joined(np.stack([work.rows[time] for time in segment])) for segment in wanted]
        return VideoVectors(np.stack(clips), _joined(np.stack([work.rows[time] for time in times])))

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return Tokenizer.from_file(str(self._file("tokenizer.json")))

    @cached_property
    def _text(self) -> onnxruntime.InferenceSession:
        return _open_session(path := self._file("text.onnx"), file_sha256(path))

    @cached_property
    def _vision(self) -> onnxruntime.InferenceSession:
        return _open_session(path := self._file("vision.onnx"), file_sha256(path))

    @cached_property
    def _concepts(self) -> NDArray[np.float64]:
        return np.asarray(np.load(self._file("concepts.npy")), np.float64)

    @cached_property
    def _look_mean(self) -> NDArray[np.float64]:
        return np.asarray(np.load(self._file("look_mean.npy")), np.float64)

    @cached_property
    def _look_projection(self) -> NDArray[np.float64]:
        return np.asarray(np.load(self._file("look_projection.npy")), np.float64)

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(THREADS, thread_name_prefix="offline-look")

    def _file(self, name: str) -> Path:
        repair = "run `git checkout -- data/models`, or make it again with tools/export_models.py"
        path, manifest = self.folder / name, self.folder / "manifest.json"
        for needed in (manifest, path):
            if not needed.is_file():
                raise DataError(f"The offline model lacks {needed}: {repair}.")
        digest = published_digests(self.folder).get(name)
        if digest is None:
            raise DataError(f"{manifest} is damaged, or says nothing of {name}: {repair}.")
        if not is_published(path, digest):
            raise DataError(f"{path} is damaged (its sha256 is not the one in manifest.json): {repair}.")
        return path


@lru_cache(maxsize=2)
def _open_session(path: Path, sha256: str) -> onnxruntime.InferenceSession:
    """The network in a file of this content: a process that connects again does not load it again."""
    options = onnxruntime.SessionOptions()
    # One thread for each picture, on any machine: the order of sums stays the same, and no thread waits for another.
    options.intra_op_num_threads, options.inter_op_num_threads = 1, 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.use_deterministic_compute = True
    # Turn int8 weights into float32 at load. Int8 kernels would differ between CPUs, and lose accuracy.
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _see(network: onnxruntime.InferenceSession, image: Image.Image) -> Seen:
    outputs = network.run(list(Seen._fields), {"pixels": pixels(image)})
    return Seen(*(output.mean(axis=0) for output in outputs))


def _joined(rows: Rows) -> Array:
    """(512,) unit vector of the mean of rows: what is named and the look, each of its own length."""
    mean = rows.mean(axis=0)
    names, look = mean[:WORDS], mean[WORDS:]
    parts = [names / np.linalg.norm(names), LOOK_WEIGHT * look / np.linalg.norm(look)]
    return np.asarray(np.concatenate(parts) / math.hypot(1, LOOK_WEIGHT), np.float32)


def check_readable(text: str) -> None:
    """Raise EmbedError (400) where `text` holds no word, or most of its letters are not Latin."""
    reason = unread_reason(text)
    if reason == "no word":
        raise EmbedError("The offline model found no word to read; write a text in English.", status=400)
    if reason:
        message = "The offline model reads English only; write in English, or go live with an API key."
        raise EmbedError(message, status=400)


def pixels(image: Image.Image) -> Array:
    """(k, 3, 260, 260): square crops as EfficientNet-Lite takes them, (x - 127) / 128.

    A square picture is one crop; any other three: at both ends of the longer side and in its middle.
    """
    scale = SIDE / min(image.size)
    size = (max(SIDE, round(image.width * scale)), max(SIDE, round(image.height * scale)))
    small = np.asarray(image.convert("RGB").resize(size, Image.Resampling.BICUBIC), np.float32)
    small = np.ascontiguousarray(((small - 127) / 128).transpose(2, 0, 1))
    x, y = size[0] - SIDE, size[1] - SIDE
    corners = [(0, 0), (x // 2, y // 2), (x, y)] if x or y else [(0, 0)]
    return np.stack([small[:, top : top + SIDE, left : left + SIDE] for left, top in corners])


def frame_times(start: float, end: float) -> list[float]:
    """When to look at a segment: in the middle of each second (of each equal part), at least twice."""
    count = max(2, round(end - start))
    return [round(start + (i + 0.5) * (end - start) / count, 3) for i in range(count)]


def sample_frames(path: str | Path, times: Sequence[float]) -> Iterator[Image.Image]:
    """Yield the picture on screen at each of `times` (ascending), in one pass over the film.

    Raises VideoError where the file cannot be read, or ends more than 5 s before a time.
    """
    with _readable(path):
        end = clock_of(path).duration
        for time, picture in pictures_at(path, times):
            if time > end + 5:
                there = f"has no picture after {end:.1f} s"
                raise VideoError(
                    f"{Path(path).name} {there}, but {time:.1f} s was asked for; repair the file."
                )
            yield picture.image()


def find_shots(path: str | Path, *, stop: threading.Event | None = None) -> list[float]:
    """The times of the hard cuts of a film; fades are not cuts.

    Each frame, 32 x 18 pixels, is compared with the one before: d = mean |difference| of the colours (0-255).
    A cut is the highest d within half a second, and above 6 + 2 x the 90th percentile of the d around it:
    quick motion raises its own threshold. Setting `stop` ends it before its time. Raises VideoError where the
    file cannot be read.
    """
    times, changes, last = [], [], None
    with _readable(path):
        for picture in pictures(path):
            if stop and stop.is_set():
                break
            small = picture.frame.reformat(width=32, height=18, format="rgb24", interpolation="AREA")
            tiny = small.to_ndarray().astype(np.int16)
            if last is not None:
                times.append(picture.second)
                changes.append(float(np.abs(tiny - last).mean()))
            last = tiny
    cuts: list[float] = []
    half = max(1, round(0.5 * len(times) / (times[-1] - times[0]))) if len(times) > 1 else 1
    for i in range(half, len(times) - half):
        around = np.array(changes[i - half : i] + changes[i + 1 : i + half + 1])
        if changes[i] > around.max() and changes[i] > 6 + 2 * np.percentile(around, 90):
            cuts.append(round(times[i], 3))
    return cuts


@contextmanager
def _readable(path: str | Path) -> Iterator[None]:
    """One sentence for a file that cannot be decoded."""
    name = Path(path).name
    try:
        yield
    except LookupError as error:
        raise VideoError(f"{name} holds no video; use a film, for instance MP4 with H.264.") from error
    except (av.FFmpegError, OSError) as error:
        why = f"{name} cannot be decoded ({error.strerror or type(error).__name__})"
        raise VideoError(f"{why}; check the path, or convert it to MP4 with H.264.") from error
