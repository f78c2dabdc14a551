"""data.captioned_pictures.decoding, data.captioned_pictures.arrays and data.captioned_pictures.decoder_layer: the pictures that Pillow sees, and no other."""

import binascii
import contextlib
import errno
import functools
import os
import struct
from collections import namedtuple

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from data.captioned_pictures import arrays as picture_arrays
from data.captioned_pictures.arrays import decode_pictures, file_contents
from data.captioned_pictures.decoder_layer import PictureDecoder
from data.captioned_pictures.decoding import decode_picture, number_of_kind, why_not_decoded
from data.captioned_pictures.files import find_picture_files
from data.captioned_pictures.kinds import BEGINNINGS, LONGEST_BEGINNING, READ_KINDS, kind_of
from data.errors import UserError
from tests.data.captioned_pictures.picture_files import (
    KINDS,
    OTHER_KINDS,
    bmp,
    bmp_in_runs,
    chunk,
    coloured_bmp,
    encoded,
    exif,
    numbers_of,
    png,
    scene,
    seen_by_pillow,
)

SIDE = 16
explain_in_graph = tf.function(why_not_decoded, input_signature=[tf.TensorSpec([], tf.string)], autograph=False)


@functools.cache
def decoder(kind):
    signature = [tf.TensorSpec([], tf.string)]
    return tf.function(lambda content: decode_picture(content, kind, SIDE), input_signature=signature, autograph=False)


def kind_of_file(content):
    return kind_of(tf.convert_to_tensor(content).numpy()[:LONGEST_BEGINNING])


def decode_in_graph(content):
    return decoder(kind_of_file(content))(content)


def decode_eagerly(content):
    return decode_picture(tf.constant(content), kind_of_file(content), SIDE)


def why_unreadable(content: bytes) -> str:
    return decode_pictures([content], 1, SIDE).unreadable.get(0, "")


def difference(one: np.ndarray | tf.Tensor, other: np.ndarray) -> int:
    return int(np.abs(np.asarray(one).astype(int) - other).max())


# What is decoded.


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(40, 25), (7, 30)])
def test_pictures_of_every_kind_are_squashed_as_pillow_does(kind, size):
    content = KINDS[kind](*size)
    assert difference(decode_in_graph(content), seen_by_pillow(content, SIDE)) <= 1 + ("CMYK" in kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_of_the_right_size_stays_as_it_is(kind):
    content = KINDS[kind](SIDE, SIDE)
    picture = decode_eagerly(content)
    assert picture.dtype == tf.uint8 and picture.shape == (SIDE, SIDE, 3)
    assert decoder(kind_of_file(content)).get_concrete_function().output_shapes == (SIDE, SIDE, 3)
    is_exact = not any(word in kind for word in ("CMYK", "alpha", "RGBA", "V4", "V5", "larger"))
    assert difference(picture, seen_by_pillow(content, SIDE)) <= (not is_exact)


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


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_a_colour_key_of_a_grey_png_counts_as_its_file_says(bits):
    """Pillow compares the key with the colours that it has brought to 8 bits, and so finds none."""
    numbers = np.arange(SIDE * SIDE).reshape(SIDE, SIDE, 1) % 2**bits
    content = png(numbers, bits, 0, chunk(b"tRNS", b"\0\1"))
    expected = np.where(numbers == 1, 255, numbers * 255 // (2**bits - 1))
    np.testing.assert_array_equal(decode_in_graph(content), np.broadcast_to(expected, (SIDE, SIDE, 3)))


@pytest.mark.parametrize("kind", [0, 2])
def test_a_colour_key_of_16_bits_is_compared_with_all_16(kind):
    numbers = np.random.default_rng(0).integers(0, 2**16, (SIDE, SIDE, kind + 1))
    numbers[0, 1] = numbers[0, 0] ^ 1
    content = png(numbers, 16, kind, chunk(b"tRNS", numbers[0, 0].astype(">u2").tobytes()))
    expected = numbers >> 8
    expected[0, 0] = 255
    np.testing.assert_array_equal(decode_in_graph(content), np.broadcast_to(expected, (SIDE, SIDE, 3)))


def test_where_the_first_picture_of_a_gif_does_not_reach_it_is_white():
    """Pillow has the colour of number 0 there unless one is transparent, browsers see nothing."""
    content = bytearray(encoded(Image.new("RGB", (8, 8), (10, 20, 30)), "GIF"))
    content[6:10] = struct.pack("<HH", SIDE, SIDE)
    place = content.index(b",\0\0\0\0")
    content[place + 1 : place + 5] = struct.pack("<HH", 3, 5)
    expected = np.full((SIDE, SIDE, 3), 255)
    expected[5:13, 3:11] = (10, 20, 30)
    np.testing.assert_array_equal(decode_in_graph(bytes(content)), expected)


@pytest.mark.parametrize("masks", [(0xFF, 0xFF00, 0xFF0000), (0xFF00, 0xFF0000, 0xFF000000)])
def test_masks_that_pillow_refuses_tell_colours_too(masks):
    content = coloured_bmp(32, masks, compression=3)(SIDE, SIDE)
    np.testing.assert_array_equal(decode_in_graph(content), np.array(scene(SIDE, SIDE)))


def test_runs_in_a_bmp_may_be_long_leap_and_end_early():
    """Pillow refuses a picture of which a part is left out."""
    codes = bytes([0, 2, 3, 2, 255, 5, 0, 0, 2, 6, 0, 4, 7, 8, 9, 1, 0, 1, 9, 9])
    content = bmp(SIDE, SIDE, 8, codes, colours=256, compression=1)
    expected = np.zeros((SIDE, SIDE), int)
    expected[2, 3:] = 5
    expected[3, :6] = [6, 6, 7, 8, 9, 1]
    palette = decode_in_graph(bmp(SIDE, SIDE, 8, bytes(range(256)), colours=256)).numpy()[::-1].reshape(256, 3)
    np.testing.assert_array_equal(decode_in_graph(content), palette[expected[::-1]])


@pytest.mark.parametrize("bits", [4, 8])
def test_a_bmp_in_many_runs_is_read(bits):
    content = bmp_in_runs(bits)(300, 200)
    whole = bmp(300, 200, 8, numbers_of(300, 200, 9)[::-1].astype(np.uint8).tobytes(), colours=256)
    np.testing.assert_array_equal(decode_in_graph(content), decode_in_graph(whole))


@pytest.mark.parametrize("reduction", [1, 2, 4, 8])
def test_a_large_jpeg_is_reduced_while_it_is_decoded_and_looks_the_same(reduction):
    width, height = 4 * SIDE * reduction, 3 * SIDE * reduction
    content = encoded(scene(width, height), "JPEG", quality=95)
    assert difference(decode_in_graph(content), seen_by_pillow(content, SIDE)) <= 1
    # What is left of the last eight pixels or fewer counts as a whole pixel of the reduced picture.
    content = encoded(scene(width + 3, height + 1), "JPEG", quality=95)
    assert difference(decode_in_graph(content), seen_by_pillow(content, SIDE)) <= 255 / (4 * SIDE) + 255 / (3 * SIDE)


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
SQUARE = encoded(scene(SIDE, SIDE), "JPEG", quality=95)
AS_STORED = decode_in_graph(SQUARE).numpy()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_photo_is_turned_as_its_exif_orientation_says(orientation, order):
    for before in (b"", segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"), segment(0xE1, b"http://x") + b"\xff" * 3):
        for place in (8, 30):
            data = tiff(orientation, order, place=place)
            content = with_exif(PHOTO, data, before)
            assert difference(decode_in_graph(content), seen_by_pillow(content, SIDE)) <= 1
    content = with_exif(SQUARE, data)
    assert difference(decode_in_graph(content), seen_by_pillow(content, SIDE)) == 0
    assert (difference(decode_in_graph(content), AS_STORED) == 0) == (orientation == 1)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_other_pictures_are_turned_too(orientation, kind):
    options = {"exif": exif(orientation)} | ({"lossless": True} if kind == "WEBP" else {})
    content = encoded(scene(SIDE, SIDE), kind, **options)
    assert difference(decode_in_graph(content), seen_by_pillow(content, SIDE)) == 0


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
    lossy = bytearray(encoded(scene(SIDE, SIDE), "WEBP", quality=50))
    lossy[26:30] = b"\xff\x3f" * 2
    names = ("PNG", "GIF", "JPEG", "WebP, animated", "WebP, lossless", "WebP, lossy")
    return dict(zip(names, map(bytes, (png, gif, jpeg, webp, lossless, lossy)), strict=True))


@pytest.mark.parametrize("kind", absurd_sizes())
def test_a_file_that_claims_an_absurd_size_is_refused_before_memory_is_taken(kind):
    for decode in (decode_in_graph, decode_eagerly):
        with pytest.raises(tf.errors.InvalidArgumentError, match="more than [0-9,]+ pixels"):
            decode(tf.constant(absurd_sizes()[kind]))


def wrong_checksum() -> bytes:
    content = bytearray(KINDS["PNG"](SIDE, SIDE))
    content[content.index(b"IDAT") + 12] ^= 0x55
    return bytes(content)


def jpeg_of(marker: int, bits: int = 8) -> bytes:
    """A JPEG whose frame is said to be of another kind."""
    place = SQUARE.index(b"\xff\xc0")
    return SQUARE[: place + 1] + bytes([marker]) + SQUARE[place + 2 : place + 4] + bytes([bits]) + SQUARE[place + 5 :]


_ODD_JPEG = "a JPEG picture that is lossless, hierarchical or not of 8 bits a colour, which is not read"
NOT_READ = {name: f"{name} picture; JPEG, PNG, GIF, BMP and WebP are read" for name in OTHER_KINDS} | {
    "lossless JPEG": _ODD_JPEG,
    "JPEG-LS": _ODD_JPEG,
    "JPEG of 12 bits": _ODD_JPEG,
    "a PNG in a BMP": "a BMP picture with compression 5, which is not read",
    "an odd BMP": "a damaged BMP picture",
}
CONTENTS_NOT_READ = OTHER_KINDS | {
    "lossless JPEG": jpeg_of(0xC3),
    "JPEG-LS": jpeg_of(0xF7),
    "JPEG of 12 bits": jpeg_of(0xC1, 12),
    "a PNG in a BMP": bmp(SIDE, SIDE, 0, b"\x89PNG", compression=5),
    "an odd BMP": bmp(SIDE, SIDE, 8, bytes(256), header=41),
}


@pytest.mark.parametrize("name", NOT_READ)
def test_what_is_not_supported_is_named(name):
    content = CONTENTS_NOT_READ[name]
    assert explain_in_graph(content).numpy().decode() == why_unreadable(content) == NOT_READ[name]


DAMAGED = {
    "empty": b"",
    "text.jpg": b"<html>Not found</html>",
    "checksum.png": wrong_checksum(),
    "size.bmp": KINDS["BMP"](SIDE, SIDE)[:18] + b"\xff\xff\xff\x7f" * 2 + KINDS["BMP"](SIDE, SIDE)[26:],
    "size.webp": b"RIFF\n\0\0\0WEBPVP8 ",
    **{f"cut.{kind}": KINDS[kind](40, 40)[:-100] for kind in (*READ_KINDS, "BMP, runs of 8 bits", "BMP, 4 bits")},
    **{f"beginning.{kind}": BEGINNINGS[kind][0].replace(b".", b"\0") for kind in READ_KINDS},
}


@pytest.mark.parametrize("name", [name for name, content in DAMAGED.items() if kind_of_file(content) in READ_KINDS])
def test_damaged_content_is_refused(name):
    for decode in (decode_in_graph, decode_eagerly):
        with pytest.raises(tf.errors.InvalidArgumentError):
            decode(tf.constant(DAMAGED[name]))


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.integers(0, 300), st.binary(min_size=1, max_size=8), st.integers(0, 1500))
def test_content_with_any_damage_is_a_picture_or_refused_with_a_reason(kind, place, noise, end):
    content = KINDS[kind](9, 9)
    content = (content[:place] + noise + content[place + len(noise) :])[: max(end, 1)]
    told, decoded = kind_of_file(content), set()
    assert [*BEGINNINGS, None][number_of_kind(tf.constant(content))] == told
    # As what it may be no longer, too.
    for taken in {kind.partition(",")[0], told} & set(READ_KINDS):
        with contextlib.suppress(tf.errors.InvalidArgumentError, UnicodeDecodeError):
            assert decoder(taken)(content).shape == (SIDE, SIDE, 3)
            decoded.add(taken)
    assert explain_in_graph(content).numpy()
    assert (why_unreadable(content) == "") == (told in decoded)


# All pictures of a set.


@pytest.fixture
def mixture(tmp_path):
    """A folder with good and bad pictures in turn."""
    good = {f"{kind}.png": KINDS[kind](30, 20) for kind in KINDS}
    bad = {f"{name}.jpg": content for name, content in DAMAGED.items()}
    for name, content in (good | bad).items():
        (tmp_path / name).write_bytes(content)
    names = [name for names in zip(sorted(good), sorted(bad) * len(good), strict=False) for name in names]
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
    assert reasons["text.jpg.jpg"] == "no picture of a kind that is known; JPEG, PNG, GIF, BMP and WebP are read"
    assert reasons["cut.JPEG.jpg"] == "a damaged JPEG picture"
    assert reasons["checksum.png.jpg"] == "a damaged PNG picture"
    assert reasons["size.webp.jpg"] == "a damaged WebP picture"


def test_an_absurd_size_is_a_reason():
    assert decode_pictures([absurd_sizes()["PNG"]], 1, SIDE).unreadable == {
        0: "more than 67,108,864 pixels: 70000 x 70000"
    }


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
    contents = [PHOTO]
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


def test_no_pictures_at_all_too_few_and_too_many():
    assert decode_pictures([], 0, SIDE).pictures.shape == (0, SIDE, SIDE, 3)
    for contents in ([PHOTO], [PHOTO] * 3):
        with pytest.raises(ValueError, match=f"expected the contents of 2 pictures, found {len(contents)}"):
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
    # What cannot be decoded leaves the others as they are, and has the reason that `decode_pictures` tells.
    bad = [*DAMAGED.values(), *CONTENTS_NOT_READ.values()]
    answer = serve(tf.constant([b"", batch[0].numpy(), *bad, batch[1].numpy()]))
    assert np.flatnonzero(answer["pictures"].numpy().any(axis=(1, 2, 3))).tolist() == [1, len(bad) + 2]
    np.testing.assert_array_equal(answer["pictures"].numpy()[[1, -1]], expected)
    reasons = [b"0 bytes", b"", *(why_unreadable(content).encode() for content in bad), b""]
    assert answer["error"].numpy().tolist() == reasons


def test_a_batch_of_every_kind_is_decoded_as_each_picture_alone_is():
    batch = [make(20, 30) for make in KINDS.values()]
    batch[2:2] = [DAMAGED["cut.JPEG"], b""]
    answer = PictureDecoder(SIDE)(tf.constant(batch))
    read = np.arange(len(batch))[answer["error"].numpy() == b""]
    assert len(read) == len(KINDS)
    expected = np.stack([decode_in_graph(batch[number]) for number in read])
    np.testing.assert_array_equal(answer["pictures"].numpy()[read], expected)


def test_what_may_fail_in_a_data_set_is_no_function_that_is_called():
    """TensorFlow 2.21 keeps a kilobyte whenever one fails there, of every damaged picture that an export is given."""
    layer = PictureDecoder(SIDE)
    whole = tf.function(lambda contents: layer(contents), input_signature=[tf.TensorSpec([None], tf.string)])
    graph = whole.get_concrete_function().graph.as_graph_def()
    functions = {function.signature.name: function.node_def for function in graph.library.function}

    def inside(nodes):
        for node in nodes:
            yield node
            names = [value.func.name for value in node.attr.values()]
            names += [each.name for value in node.attr.values() for each in value.list.func]
            for name in filter(None, names):
                yield from inside(functions[name])

    maps = [node for node in inside(graph.node) if node.op == "ParallelMapDatasetV2"]
    calls = [node for one in maps for node in inside([one]) if node.op.endswith("PartitionedCall")]
    assert len(maps) == len(calls) == len(READ_KINDS)  # each squashes
    assert not {node.op for node in inside(calls)} & {"DecodeJpeg", "DecodePng", "DecodeImage", "DecodeGif", "Assert"}
    assert {node.op for node in inside(maps)} >= {"DecodePng", "Assert"}


def test_a_configuration_makes_the_same_layer_again():
    layer = PictureDecoder(5, name="decoder")
    again = PictureDecoder.from_config(layer.get_config())
    assert again.name == "decoder" and again(tf.constant([PHOTO]))["pictures"].shape == (1, 5, 5, 3)
