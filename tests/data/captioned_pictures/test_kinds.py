"""data.captioned_pictures.kinds: what a file holds is told by its content."""

import io

import pytest
from PIL import Image

from data.captioned_pictures.kinds import BEGINNINGS, LONGEST_BEGINNING, READ_KINDS, kind_of, why_not_read

BY_PILLOW = {"WEBP": "WebP", "JPEG2000": "JPEG 2000"} | {
    kind: kind for kind in ("JPEG", "PNG", "GIF", "BMP", "TIFF", "AVIF", "ICO", "PDF")
}


@pytest.mark.parametrize("written", BY_PILLOW)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_what_pillow_writes_is_known_by_its_first_bytes(written, mode):
    stream = io.BytesIO()
    Image.new(mode, (20, 20)).save(stream, written)
    assert kind_of(stream.getvalue()) == kind_of(stream.getvalue()[:LONGEST_BEGINNING]) == BY_PILLOW[written]


@pytest.mark.parametrize(
    "content, kind",
    [
        (b"", None), (b"Hello", None), (b"BMW makes cars, and motorcycles", None), (b"<html>", None), (b"GIF8", None),
        (b"\0\0\0\x18ftypheic", "HEIC"), (b"\0\0\0\x18ftypmif1", "HEIC"), (b"\0\0\0\x18ftypmp42", None),
        (b"\xff\x0a\xfa\x1f", "JPEG XL"), (b"MM\0*\0\0", "TIFF"), (b"<svg xmlns", "SVG"), (b"8BPS\0\1", "PSD"),
        (b"\xff\xd8\xff", "JPEG"),
    ],
)  # fmt: skip
def test_what_a_file_begins_with_tells_its_kind(content, kind):
    assert kind_of(content) == kind


def test_a_kind_that_is_not_read_is_named():
    assert tuple(BEGINNINGS)[: len(READ_KINDS)] == READ_KINDS
    assert why_not_read("AVIF") == "an AVIF picture; JPEG, PNG, GIF, BMP and WebP are read"
    assert why_not_read("HEIC").startswith("a HEIC picture; ")
    assert why_not_read(None) == "no picture of a kind that is known; JPEG, PNG, GIF, BMP and WebP are read"
