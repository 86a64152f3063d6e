"""The offline encoder on its real models and on sample films."""

import itertools
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from helpers.errors import DataError, EmbedError, VideoError
from helpers.segmentation import Segmentation
from helpers.settings import ROOT
from helpers.standin.encoder import (
    DIMENSION,
    LOOK_WEIGHT,
    MODEL,
    SIDE,
    WORDS,
    Encoder,
    check_readable,
    find_shots,
    frame_times,
    pixels,
    sample_frames,
)
from tools.make_videos import FILMS

DATA = ROOT / "data"
MODELS = DATA / "models"
CLASSES = json.loads((MODELS / "classes.json").read_text("utf-8"))
MANIFEST = json.loads((MODELS / "manifest.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(MODELS)


def film(path: Path, *, seconds: int = 14, rotation: int = 0) -> Path:
    """A film of 10 frames a second, 96 x 64 pixels, grey of 16 x the second; a key frame every 2 s."""
    with av.open(str(path), "w") as target:
        stream = target.add_stream("libx264", rate=10, options={"g": "20", "bf": "0", "crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        if rotation:
            stream.set_display_rotation(rotation)
        for i in range(seconds * 10):
            target.mux(
                stream.encode(av.VideoFrame.from_image(Image.new("RGB", (96, 64), (16 * (i // 10),) * 3)))
            )
        target.mux(stream.encode(None))
    return path


def grey(image: Image.Image) -> int:
    """The second that the picture of a `film` shows."""
    return round(float(np.asarray(image.convert("L")).mean()) / 16)


# the models -------------------------------------------------------------------------------------------


def test_the_manifest_names_every_model_file_with_source_licence_and_size() -> None:
    assert MANIFEST["model"] == MODEL
    present = {path.name for path in MODELS.iterdir()} - {"manifest.json", "LICENSES.md"}
    assert set(MANIFEST["files"]) == present
    assert sum(path.stat().st_size for path in MODELS.iterdir()) < 50_000_000
    for name, entry in MANIFEST["files"].items():
        assert entry["bytes"] == (MODELS / name).stat().st_size
        assert entry["licence"] and all(s["version"] and len(s["sha256"]) == 64 for s in entry["sources"])


def test_the_exported_models_are_those_of_pytorch() -> None:
    text, vision = (MANIFEST["files"][name]["measured"] for name in ("text.onnx", "vision.onnx"))
    assert text["cosine with fp32 torch, queries"]["texts"] >= 40
    assert all(figures["least"] >= 0.99 for figures in text.values())
    assert text["cosine with fp32 torch, queries"]["least"] >= 0.999
    assert vision["largest |difference| of a class probability from fp32 torch"] <= 1e-4
    assert vision["frames with the same first class"] == vision["frames"] >= 40


@pytest.mark.slow
def test_concepts_are_unit_rows_in_the_order_of_the_classes(encoder: Encoder) -> None:
    concepts = np.load(MODELS / "concepts.npy").astype(np.float32)
    assert concepts.shape == (len(CLASSES), WORDS) == (1000, 384)
    np.testing.assert_allclose(np.linalg.norm(concepts, axis=1), 1, atol=1e-3)
    names = encoder.embed_texts(CLASSES[::50])[:, :WORDS]
    nearest = (names @ concepts.T).argmax(axis=1)
    assert (nearest == np.arange(0, 1000, 50)).sum() >= 18


# words ------------------------------------------------------------------------------------------------


def test_related_texts_are_closer_than_unrelated_ones(encoder: Encoder) -> None:
    cat, kitten, rocket, launch = encoder.embed_texts(
        ["a cat on a sofa", "a kitten that sleeps", "a rocket takes off", "launch of a spacecraft"]
    )
    assert cat @ kitten > 0.4 > cat @ rocket
    assert rocket @ launch > 0.4 > kitten @ launch


def test_text_vectors_are_unit_rows_that_do_not_depend_on_their_neighbours(encoder: Encoder) -> None:
    texts = ["coffee", "a long walk through a green forest on a rainy day", "Café au lait"]
    vectors = encoder.embed_texts(texts)
    assert vectors.shape == (3, DIMENSION) and vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    for text, vector in zip(texts, vectors, strict=True):
        np.testing.assert_array_equal(encoder.embed_texts([text])[0], vector)
    assert encoder.embed_texts([]).shape == (0, DIMENSION)


@pytest.mark.slow
def test_of_a_long_text_256_word_pieces_count(encoder: Encoder) -> None:
    words = ["tree"] * 300
    assert encoder.is_too_long(" ".join(words)) and not encoder.is_too_long(" ".join(words[:254]))
    longer, cut = encoder.embed_texts([" ".join([*words, "rocket"]), " ".join(words[:254])])
    np.testing.assert_array_equal(longer, cut)


@pytest.mark.parametrize("text", ["a cat", "café Zoë", "2026", "the Москва river", "x² + y² 🐱"])
def test_english_is_readable(text: str) -> None:
    check_readable(text)


@pytest.mark.parametrize("text", ["", " ?! ", "🐱🐱", "рыжий кот", "オレンジ色の猫", "قطة", "кот and кошка"])
def test_other_scripts_and_wordless_texts_get_an_error(text: str) -> None:
    with pytest.raises(EmbedError, match="offline model") as error:
        check_readable(text)
    assert error.value.status == 400


# pictures ---------------------------------------------------------------------------------------------


def test_crops_cover_both_ends_and_the_middle() -> None:
    ramp = Image.linear_gradient("L").resize((640, 360)).convert("RGB")
    assert pixels(ramp).shape == (3, 3, SIDE, SIDE)
    assert pixels(ramp.resize((500, 500))).shape == (1, 3, SIDE, SIDE)
    assert pixels(Image.new("L", (300, 900))).shape == (3, 3, SIDE, SIDE)
    left = Image.new("RGB", (640, 360))
    left.paste((255, 255, 255), (0, 0, 100, 360))
    means = pixels(left).mean(axis=(1, 2, 3))
    assert means[0] > means[1] == means[2] == pytest.approx(-127 / 128)


@pytest.mark.slow
def test_the_cat_film_is_nearest_to_the_word_cat(encoder: Encoder) -> None:
    clips, asset = encoder.embed_segments(DATA / "videos" / "cat.mp4", [(0.0, 6.0), (6.0, 12.0)])
    assert clips.shape == (2, DIMENSION)
    np.testing.assert_allclose(np.linalg.norm([*clips, asset], axis=1), 1, atol=1e-5)
    words = ["a cat", "a cup of coffee", "a space rocket", "a city at night", "a trumpet"]
    for vector in (clips[0], asset):
        assert words[int((encoder.embed_texts(words) @ vector).argmax())] == "a cat"
    (picture,) = sample_frames(DATA / "videos" / "cat.mp4", [0.5])
    (seen,) = encoder.look_at([picture])
    best = np.argsort(seen.probabilities)[-3:]
    assert "tabby cat" in [CLASSES[i] for i in best]


@pytest.mark.slow
def test_two_calls_give_the_same_vectors(encoder: Encoder) -> None:
    path, bounds = DATA / "videos" / "coffee.mp4", [(0.0, 3.0), (3.0, 5.0)]
    first = encoder.embed_segments(path, bounds)
    again = Encoder(MODELS).embed_segments(path, bounds)
    alone = encoder.embed_segments(path, bounds[1:])
    np.testing.assert_array_equal(first.clips, again.clips)
    np.testing.assert_array_equal(first.asset, again.asset)
    np.testing.assert_array_equal(first.clips[1], alone.clips[0])
    np.testing.assert_array_equal(alone.clips[0], alone.asset)


@pytest.mark.slow
def test_a_photo_of_a_phone_is_turned_upright_by_its_exif_data(encoder: Encoder, tmp_path: Path) -> None:
    (upright,) = sample_frames(DATA / "videos" / "cat.mp4", [0.5])
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it a quarter turn clockwise
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "photo.png", exif=exif)
    with Image.open(tmp_path / "photo.png") as photo:
        np.testing.assert_array_equal(encoder.embed_image(photo), encoder.embed_image(upright))


@pytest.mark.slow
def test_the_look_has_its_share_of_each_picture_and_none_of_words(encoder: Encoder) -> None:
    path = DATA / "videos" / "cat.mp4"
    clips, asset = encoder.embed_segments(path, [(0.0, 2.0), (6.0, 8.0)])
    (picture,) = sample_frames(path, [0.5])
    for vector in (*clips, asset, encoder.embed_image(picture)):
        assert np.linalg.norm(vector[WORDS:]) / np.linalg.norm(vector[:WORDS]) == pytest.approx(LOOK_WEIGHT)
    assert not encoder.embed_texts(["a cat", "a cup of coffee"])[:, WORDS:].any()


@pytest.mark.slow
def test_clips_that_look_alike_are_near_though_they_are_named_otherwise(encoder: Encoder) -> None:
    """Twice the closing credits, and the meadow: the network has names of things only."""
    film = DATA / "videos" / "big-buck-bunny.mp4"
    credits, more, meadow = (
        encoder.embed_segments(film, [(start, start + 6)]).asset for start in (564.0, 522.0, 12.0)
    )
    assert credits[:WORDS] @ more[:WORDS] < credits[:WORDS] @ meadow[:WORDS]
    assert credits @ more > credits @ meadow


@pytest.mark.slow
def test_pictures_come_back_in_their_order_and_do_not_depend_on_their_neighbours(encoder: Encoder) -> None:
    wide = 320, 300  # three crops; of a square one
    pictures = [
        Image.new("RGB", wide if i % 5 == 1 else (300, 300), (20 * i, 0, 255 - 20 * i)) for i in range(12)
    ]
    for picture, seen in zip(pictures, encoder.look_at(iter(pictures)), strict=True):
        (alone,) = encoder.look_at([picture])
        np.testing.assert_array_equal(seen.probabilities, alone.probabilities)
        np.testing.assert_array_equal(seen.features, alone.features)


def test_an_error_while_a_video_is_read_comes_through(encoder: Encoder) -> None:
    def pictures() -> Iterator[Image.Image]:
        yield Image.new("RGB", (300, 300))
        raise VideoError("the file ends here")

    with pytest.raises(VideoError, match="ends here"):
        list(encoder.look_at(pictures()))


# films ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".mp4", ".ts"])  # the clock of an MPEG-TS file does not start at zero
def test_frames_are_those_on_screen_at_the_time(tmp_path: Path, suffix: str) -> None:
    path = film(tmp_path / f"film{suffix}")
    times = [0.0, 0.5, 0.95, 1.0, 3.5, 3.6, 13.5]
    assert [grey(image) for image in sample_frames(path, times)] == [0, 0, 0, 1, 3, 3, 13]
    late = [11.5, 12.5]
    assert [grey(image) for image in sample_frames(path, late)] == [11, 12]
    assert [grey(image) for image in sample_frames(path, [15.0])] == [13]


def test_a_film_of_a_phone_is_turned_upright(tmp_path: Path) -> None:
    path = film(tmp_path / "turned.mp4", seconds=1, rotation=90)
    assert [image.size for image in sample_frames(path, [0.5])] == [(64, 96)]


def test_a_segment_is_seen_in_the_middle_of_each_second_and_at_least_twice() -> None:
    assert frame_times(6, 12) == [6.5, 7.5, 8.5, 9.5, 10.5, 11.5]
    assert frame_times(3, 4) == [3.25, 3.75]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["deep-field", "coins"])
def test_shots_are_found_where_the_film_was_cut(name: str) -> None:
    ends = list(itertools.accumulate(seconds for _, seconds, _, _ in FILMS[name]))
    assert find_shots(DATA / "videos" / f"{name}.mp4") == pytest.approx(ends[:-1], abs=0.05)


@pytest.mark.slow
def test_coffee_has_its_cuts_at_6_12_and_17_seconds() -> None:
    cuts = find_shots(DATA / "videos" / "coffee.mp4")
    assert cuts == pytest.approx([6, 12, 17], abs=0.05)
    assert Segmentation("dynamic", 4).bounds(21, cuts=cuts) == [
        (0, 6),
        (6, 12),
        (12, 17),
        (17, 21),
    ]


def test_a_film_without_cuts_has_no_shots(tmp_path: Path) -> None:
    path = tmp_path / "still.mp4"
    shutil.copy(film(path, seconds=1), tmp_path / "copy.mp4")
    assert find_shots(tmp_path / "copy.mp4") == []


def test_films_that_cannot_be_read_get_one_sentence(encoder: Encoder, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"not a film" * 100)
    for path in (tmp_path / "nowhere.mp4", broken):
        for read in (find_shots, lambda p: list(sample_frames(p, [1.0]))):
            with pytest.raises(VideoError, match=f"{path.name} cannot be decoded"):
                read(path)
    with pytest.raises(VideoError, match="has no picture after 1.0 s, but 30.0 s"):
        list(sample_frames(film(tmp_path / "short.mp4", seconds=1), [0.5, 30.0]))
    sound = tmp_path / "sound.wav"
    with av.open(str(sound), "w") as target:
        stream = target.add_stream("pcm_s16le", rate=8000, layout="mono")
        noise = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        noise.sample_rate = 8000
        target.mux(stream.encode(noise))
        target.mux(stream.encode(None))
    with pytest.raises(VideoError, match="holds no video"):
        find_shots(sound)
    with pytest.raises(VideoError, match="no segments"):
        encoder.embed_segments(DATA / "videos" / "cat.mp4", [])


# damage -----------------------------------------------------------------------------------------------


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    """A folder with the files of the text model."""
    for name in ("manifest.json", "text.onnx", "tokenizer.json"):
        shutil.copy(MODELS / name, tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["manifest.json", "text.onnx", "tokenizer.json"])
def test_a_missing_model_file_is_named_with_the_way_to_get_it_back(copies: Path, name: str) -> None:
    (copies / name).unlink()
    with pytest.raises(DataError, match=f"{name}.*git checkout -- data/models"):
        Encoder(copies).embed_texts(["cat"])


@pytest.mark.slow
def test_a_damaged_model_file_is_refused(copies: Path) -> None:
    Encoder(copies).embed_texts(["cat"])
    with (copies / "text.onnx").open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"damage")
    with pytest.raises(DataError, match="text.onnx is damaged.*sha256.*git checkout"):
        Encoder(copies).embed_texts(["cat"])


def test_a_damaged_manifest_is_refused(copies: Path) -> None:
    for content in ("", '{"files": {}}', "[]"):
        (copies / "manifest.json").write_text(content, encoding="utf-8")
        with pytest.raises(DataError, match="manifest.json is damaged.*git checkout"):
            Encoder(copies).embed_texts(["cat"])
