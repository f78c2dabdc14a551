"""data.captioned_pictures.decoding, data.captioned_pictures.arrays and data.captioned_pictures.decoder_layer: the pictures that Pillow sees, and no other."""

import binascii
import contextlib
import errno
import io
import os
import struct
from collections import namedtuple

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from data.captioned_pictures import arrays as picture_arrays
from data.captioned_pictures.arrays import decode_pictures, file_contents
from data.captioned_pictures.decoder_layer import PictureDecoder
from data.captioned_pictures.decoding import BEGINNINGS, decode_picture
from data.captioned_pictures.files import find_picture_files
from data.errors import UserError

SIDE = 16
decode_in_graph = tf.function(
    lambda content: decode_picture(content, SIDE), input_signature=[tf.TensorSpec([], tf.string)], autograph=False
)


def scene(width: int = SIDE, height: int = SIDE, mode: str = "RGB") -> Image.Image:
    """A picture that changes smoothly, and looks different however it is turned."""
    across, down = np.linspace(0, 1, width), np.linspace(0, 1, height)[:, None]
    channels = [255 * across * down, 60 + 180 * across + 0 * down, 200 - 150 * down + 0 * across]
    picture = Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8))
    if mode not in ("LA", "RGBA"):
        return picture.convert(mode)
    picture = picture.convert(mode)
    picture.putalpha(Image.fromarray((255 * (across + down) / 2).astype(np.uint8)))
    return picture


def encoded(picture: Image.Image, kind: str, **options) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def seen_by_pillow(content: bytes, side: int = SIDE) -> np.ndarray:
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    if picture.mode in ("LA", "RGBA") or "transparency" in picture.info and picture.format != "GIF":
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    picture = picture.convert("RGB")
    return np.array(picture.resize((side, side), Image.Resampling.BILINEAR))


def difference(one: np.ndarray | tf.Tensor, other: np.ndarray) -> int:
    return int(np.abs(np.asarray(one).astype(int) - other).max())


def transparent_palette(width: int, height: int) -> bytes:
    return encoded(scene(width, height).quantize(5), "PNG", transparency=2)


KINDS = {
    "JPEG": lambda *size: encoded(scene(*size), "JPEG", quality=95),
    "JPEG, grey": lambda *size: encoded(scene(*size, "L"), "JPEG"),
    "JPEG, CMYK": lambda *size: encoded(scene(*size, "CMYK"), "JPEG", quality=95),
    "JPEG, progressive": lambda *size: encoded(scene(*size), "JPEG", progressive=True),
    "PNG": lambda *size: encoded(scene(*size), "PNG"),
    "PNG, grey": lambda *size: encoded(scene(*size, "L"), "PNG"),
    "PNG, grey and alpha": lambda *size: encoded(scene(*size, "LA"), "PNG"),
    "PNG, RGBA": lambda *size: encoded(scene(*size, "RGBA"), "PNG"),
    "PNG, palette": lambda *size: encoded(scene(*size, "P"), "PNG"),
    "PNG, palette of 2 bits": lambda *size: encoded(scene(*size).quantize(4), "PNG"),
    "PNG, palette with transparency": transparent_palette,
    "PNG, 1 bit": lambda *size: encoded(scene(*size, "1"), "PNG"),
    "GIF": lambda *size: encoded(scene(*size), "GIF"),
    "GIF, animated": lambda *size: encoded(
        scene(*size), "GIF", save_all=True, append_images=[Image.new("RGB", size, colour) for colour in ("red", "blue")]
    ),
    "BMP": lambda *size: encoded(scene(*size), "BMP"),
    "BMP, grey": lambda *size: encoded(scene(*size, "L"), "BMP"),
    "BMP, palette": lambda *size: encoded(scene(*size).quantize(9), "BMP"),
    "BMP, RGBA": lambda *size: encoded(scene(*size).convert("RGBA"), "BMP"),
    "WebP": lambda *size: encoded(scene(*size), "WEBP", lossless=True),
    "WebP, RGBA": lambda *size: encoded(scene(*size, "RGBA"), "WEBP", lossless=True),
    "WebP, animated": lambda *size: encoded(
        scene(*size), "WEBP", lossless=True, save_all=True, append_images=[Image.new("RGB", size, "red")]
    ),
}


# What is decoded.


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(40, 25), (7, 30)])
def test_pictures_of_every_kind_are_squashed_as_pillow_does(kind, size):
    content = KINDS[kind](*size)
    assert difference(decode_in_graph(content), seen_by_pillow(content)) <= 1 + ("CMYK" in kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_of_the_right_size_stays_as_it_is(kind):
    content = KINDS[kind](SIDE, SIDE)
    picture = decode_picture(tf.constant(content), SIDE)
    assert picture.dtype == tf.uint8 and picture.shape == (SIDE, SIDE, 3)
    assert decode_in_graph.get_concrete_function().output_shapes == (SIDE, SIDE, 3)
    assert difference(picture, seen_by_pillow(content)) <= ("CMYK" in kind or "alpha" in kind or "RGBA" in kind)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_of_16_bits_the_upper_8_count(channels):
    numbers = np.random.default_rng(0).integers(0, 2**16, (SIDE, SIDE, channels)).astype(np.uint16)
    numbers[..., 3:] = 2**16 - 1
    content = tf.io.encode_png(numbers)
    np.testing.assert_array_equal(
        decode_in_graph(content), np.broadcast_to(numbers[..., :3] >> 8, (SIDE, SIDE, 3)).astype(np.uint8)
    )


def test_what_is_transparent_stands_before_white():
    content = encoded(Image.new("RGBA", (3, 3), (255, 0, 0, 0)), "PNG")
    assert (decode_in_graph(content).numpy() == 255).all()


@pytest.mark.parametrize("reduction", [1, 2, 4, 8])
def test_a_large_jpeg_is_reduced_while_it_is_decoded_and_looks_the_same(reduction):
    width, height = 4 * SIDE * reduction, 3 * SIDE * reduction
    content = encoded(scene(width, height), "JPEG", quality=95)
    assert difference(decode_in_graph(content), seen_by_pillow(content)) <= 1
    # What is left of the last eight pixels or fewer counts as a whole pixel of the reduced picture.
    content = encoded(scene(width + 3, height + 1), "JPEG", quality=95)
    assert difference(decode_in_graph(content), seen_by_pillow(content)) <= 255 / (4 * SIDE) + 255 / (3 * SIDE)


# Orientation.


def tiff(orientation: int, order: str = "<", *, magic=42, place=8, kind=3, count=2, tag=0x0112) -> bytes:
    """EXIF data of two entries, the orientation last."""
    start = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", magic, place)
    make = struct.pack(order + "HHI4s", 0x010F, 2, 4, b"abc\0")
    entry = struct.pack(order + "HHIHH", tag, kind, 1, orientation, 0)
    return start + bytes(max(place - 8, 0) % 64) + struct.pack(order + "H", count) + make + entry + bytes(4)


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def with_exif(content: bytes, data: bytes, before: bytes = b"") -> bytes:
    """A JPEG with EXIF data, after other segments."""
    return content[:2] + before + segment(0xE1, b"Exif\0\0" + data) + content[2:]


PHOTO = encoded(scene(40, 25), "JPEG", quality=95)
SQUARE = encoded(scene(), "JPEG", quality=95)
AS_STORED = decode_in_graph(SQUARE).numpy()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_photo_is_turned_as_its_exif_orientation_says(orientation, order):
    for before in (b"", segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"), segment(0xE1, b"http://x") + b"\xff" * 3):
        for place in (8, 30):
            data = tiff(orientation, order, place=place)
            content = with_exif(PHOTO, data, before)
            assert difference(decode_in_graph(content), seen_by_pillow(content)) <= 1
    content = with_exif(SQUARE, data)
    assert difference(decode_in_graph(content), seen_by_pillow(content)) == 0
    assert (difference(decode_in_graph(content), AS_STORED) == 0) == (orientation == 1)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"II",
        b"II*\0",
        tiff(6)[:-8],
        tiff(0),
        tiff(9),
        tiff(6, magic=43),
        tiff(6, kind=4),
        tiff(6, tag=0x0113),
        tiff(6, count=1),
        tiff(6, count=0),
        b"XX" + tiff(6)[2:],
        tiff(6)[:4] + b"\xff\xff\xff\xff" + tiff(6)[8:],
        tiff(6)[:4] + b"\0\0\0\x80" + tiff(6)[8:],
    ],
)
def test_malformed_exif_turns_nothing(data):
    assert difference(decode_in_graph(with_exif(SQUARE, data)), AS_STORED) == 0


def test_an_entry_is_found_though_more_are_promised_than_there_are():
    content = with_exif(SQUARE, tiff(3, count=65535))
    assert difference(decode_in_graph(content), AS_STORED[::-1, ::-1]) == 0


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=64), st.integers(0, 40), st.sampled_from(["<", ">"]))
@example(b"\0\0", 0, ">")
def test_whatever_exif_holds_the_picture_is_turned_in_one_of_eight_ways_at_most(noise, place, order):
    data = tiff(6, order)
    data = data[:place] + noise + data[place + len(noise) :]
    picture = decode_in_graph(with_exif(SQUARE, data)).numpy()
    turned = [np.rot90(side, turns) for side in (AS_STORED, AS_STORED.swapaxes(0, 1)) for turns in range(4)]
    assert 0 in [difference(picture, one) for one in turned]


# What is refused.


def absurd_sizes() -> dict[str, bytes]:
    png = bytearray(KINDS["PNG"](SIDE, SIDE))
    png[16:24] = struct.pack(">II", 70000, 70000)
    png[29:33] = struct.pack(">I", binascii.crc32(png[12:29]))
    gif = bytearray(KINDS["GIF"](SIDE, SIDE))
    frame = gif.index(b",\0\0\0\0\x10\0\x10\0")
    gif[frame + 5 : frame + 9] = b"\xff" * 4
    jpeg = bytearray(KINDS["JPEG, progressive"](SIDE, SIDE))
    frame = jpeg.index(b"\xff\xc2")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", 60000, 60000)
    webp = bytearray(KINDS["WebP, animated"](SIDE, SIDE))
    webp[24:30] = b"\xfe\xff\x00" * 2
    lossless = bytearray(KINDS["WebP"](SIDE, SIDE))
    lossless[21:25] = struct.pack("<I", 2**28 - 1)
    lossy = bytearray(encoded(scene(), "WEBP", quality=50))
    lossy[26:30] = b"\xff\x3f" * 2
    names = ("PNG", "GIF", "JPEG", "WebP, animated", "WebP, lossless", "WebP, lossy")
    return dict(zip(names, map(bytes, (png, gif, jpeg, webp, lossless, lossy)), strict=True))


@pytest.mark.parametrize("kind", absurd_sizes())
def test_a_file_that_claims_an_absurd_size_is_refused_before_memory_is_taken(kind):
    for decode in (decode_in_graph, lambda content: decode_picture(content, SIDE)):
        with pytest.raises(tf.errors.InvalidArgumentError, match="more than [0-9,]+ pixels"):
            decode(tf.constant(absurd_sizes()[kind]))


def wrong_checksum() -> bytes:
    content = bytearray(KINDS["PNG"](SIDE, SIDE))
    content[content.index(b"IDAT") + 12] ^= 0x55
    return bytes(content)


DAMAGED = {
    "empty": b"",
    "text.jpg": b"<html>Not found</html>",
    "checksum.png": wrong_checksum(),
    "size.bmp": KINDS["BMP"](SIDE, SIDE)[:18] + b"\xff\xff\xff\x7f" * 2 + KINDS["BMP"](SIDE, SIDE)[26:],
    "size.webp": b"RIFF\n\0\0\0WEBPVP8 ",
    **{f"cut.{kind}": KINDS[kind](40, 40)[:-100] for kind in ("JPEG", "PNG", "BMP", "WebP", "GIF")},
    **{f"beginning.{kind}": beginning.replace(b".", b"\0") for kind, beginning in BEGINNINGS.items()},
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_content_is_refused(name):
    for decode in (decode_in_graph, lambda content: decode_picture(content, SIDE)):
        with pytest.raises(tf.errors.InvalidArgumentError):
            decode(tf.constant(DAMAGED[name]))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.integers(0, 300), st.binary(min_size=1, max_size=8), st.integers(0, 400))
def test_content_with_any_damage_is_a_picture_or_refused(kind, place, noise, end):
    content = KINDS[kind](9, 9)
    content = (content[:place] + noise + content[place + len(noise) :])[: max(end, 1)]
    with contextlib.suppress(tf.errors.InvalidArgumentError):
        assert decode_in_graph(content).shape == (SIDE, SIDE, 3)


# All pictures of a set.


@pytest.fixture
def mixture(tmp_path):
    """A folder with good and bad pictures in turn."""
    good = {f"{kind}.png": KINDS[kind](30, 20) for kind in KINDS}
    bad = {f"{name}.jpg": content for name, content in DAMAGED.items()}
    for name, content in (good | bad).items():
        (tmp_path / name).write_bytes(content)
    names = [name for names in zip(sorted(good), sorted(bad) * 2, strict=False) for name in names]
    assert set(bad) <= set(names) and set(good) <= set(names)
    return find_picture_files(tmp_path), names


def test_all_readable_pictures_are_decoded_in_order_and_the_others_are_named(mixture):
    files, names = mixture
    decoded = decode_pictures(file_contents(files, names), len(names), SIDE)
    assert {names[number] for number in decoded.unreadable} == {f"{name}.jpg" for name in DAMAGED}
    for number, name in enumerate(names):
        if number in decoded.unreadable:
            assert not decoded.pictures[number].any()
        else:
            assert (decoded.pictures[number] == decode_in_graph(files.read(name)).numpy()).all()
    reasons = {names[number]: reason for number, reason in decoded.unreadable.items()}
    assert reasons["empty.jpg"] == "0 bytes"
    assert reasons["text.jpg.jpg"] == "no JPEG, PNG, GIF, BMP or WebP picture"
    assert reasons["cut.JPEG.jpg"] == "damaged JPEG: jpeg::Uncompress failed. Invalid JPEG data or crop window."
    assert reasons["checksum.png.jpg"].startswith("damaged PNG: Invalid PNG data, size")
    assert reasons["size.webp.jpg"].startswith("damaged WebP: ")
    for reason in reasons.values():
        assert not set(reason) & set("[]{}\n")


def test_an_absurd_size_is_a_reason():
    contents = tf.data.Dataset.from_tensors(absurd_sizes()["PNG"])
    assert decode_pictures(contents, 1, SIDE).unreadable == {0: "more than 67,108,864 pixels: 70000 x 70000"}


def test_many_pictures_are_put_in_a_file_that_goes_away_and_are_the_same_bits(mixture, tmp_path, monkeypatch):
    files, names = mixture
    once = decode_pictures(file_contents(files, names), len(names), SIDE)
    in_memory = once.pictures
    folder = tmp_path / "pictures"
    folder.mkdir()
    monkeypatch.setattr(picture_arrays, "LARGEST_IN_MEMORY", in_memory.nbytes - 1)
    again = decode_pictures(file_contents(files, names), len(names), SIDE, folder)
    mapped = again.pictures
    assert isinstance(mapped, np.memmap) and not isinstance(in_memory, np.memmap)
    np.testing.assert_array_equal(mapped, in_memory)
    assert again.unreadable == once.unreadable
    assert not list(folder.iterdir())


def test_a_full_disk_is_told_beforehand(tmp_path, monkeypatch):
    monkeypatch.setattr(picture_arrays, "LARGEST_IN_MEMORY", 0)
    contents = tf.data.Dataset.from_tensors(PHOTO)
    with monkeypatch.context() as patch:
        usage = namedtuple("usage", "total used free")(2**40, 2**40 - 2**20, 2**20)
        patch.setattr(picture_arrays.shutil, "disk_usage", lambda folder: usage)
        with pytest.raises(UserError, match="1 pictures of 16 x 16 pixels need 0.3 GiB of room, 0.0 GiB are free"):
            decode_pictures(contents, 1, SIDE, tmp_path)

    def reserve(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", reserve, raising=False)
    with pytest.raises(UserError, match="make room, or take smaller pictures .No space left on device."):
        decode_pictures(contents, 1, SIDE, tmp_path)


def test_a_file_that_cannot_be_read_any_more_is_named(tmp_path):
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (tmp_path / name).write_bytes(PHOTO)
    files = find_picture_files(tmp_path)
    (tmp_path / "a.jpg").unlink()
    (tmp_path / "b.jpg").write_bytes(PHOTO[:100])
    decoded = decode_pictures(file_contents(files, ["a.jpg", "b.jpg", "c.jpg"]), 3, SIDE)
    assert sorted(decoded.unreadable) == [0, 1] and decoded.pictures[2].any()
    assert "No such file" in decoded.unreadable[0] and "expected" in decoded.unreadable[1]


def test_no_pictures_at_all_and_too_few():
    contents = tf.data.Dataset.from_tensors(PHOTO)
    assert decode_pictures(contents.take(0), 0, SIDE).pictures.shape == (0, SIDE, SIDE, 3)
    with pytest.raises(ValueError, match="expected the contents of 2 pictures, found 1"):
        decode_pictures(contents, 2, SIDE)


# The layer.


def test_the_layer_is_saved_with_a_model_and_exported(tmp_path):
    contents = keras.Input((), dtype="string", name="image_bytes")
    decoded = PictureDecoder(SIDE, name="decoder")(contents)
    pictures, error = decoded["pictures"], decoded["error"]
    assert pictures.shape == (None, SIDE, SIDE, 3) and pictures.dtype == "float32"
    assert error.shape == (None,) and error.dtype == "string"
    keras.Model(contents, decoded).save(tmp_path / "model.keras")
    model = keras.models.load_model(tmp_path / "model.keras")
    batch = tf.constant([with_exif(PHOTO, tiff(6)), KINDS["PNG, RGBA"](20, 30)])
    expected = np.stack([decode_in_graph(content) for content in batch]).astype(np.float32)
    np.testing.assert_array_equal(model(batch)["pictures"], expected)
    assert model(batch[:0])["pictures"].shape == (0, SIDE, SIDE, 3)

    signature = tf.function(model.call, input_signature=[tf.TensorSpec([None], tf.string)])
    tf.saved_model.save(model, str(tmp_path / "model"), signatures=signature)
    serve = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"]
    for rows in (batch, batch[:1], batch[:0]):
        answer = serve(rows)
        np.testing.assert_array_equal(answer["pictures"], expected[: len(rows)])
        assert not any(answer["error"].numpy())
    # What cannot be decoded leaves the others as they are.
    answer = serve(tf.constant([b"", batch[0].numpy(), PHOTO[:300], batch[1].numpy(), b"text"]))
    nothing = np.zeros_like(expected[0])
    np.testing.assert_array_equal(answer["pictures"], [nothing, expected[0], nothing, expected[1], nothing])
    assert answer["error"].numpy().tolist() == [
        b"0 bytes", b"", b"a damaged JPEG, or of a kind not supported", b"", b"no JPEG, PNG, GIF, BMP or WebP picture"
    ]  # fmt: skip


def test_a_configuration_makes_the_same_layer_again():
    layer = PictureDecoder(5, name="decoder")
    again = PictureDecoder.from_config(layer.get_config())
    assert again.name == "decoder" and again(tf.constant([PHOTO]))["pictures"].shape == (1, 5, 5, 3)
