"""Picture files of every kind that Pillow writes, and of those that it only reads, put together by hand."""

import binascii
import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageOps

ORIENTATION = 0x0112


def scene(width: int, height: int, mode: str = "RGB") -> Image.Image:
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


def seen_by_pillow(content: bytes, side: int) -> np.ndarray:
    """A file before white, the right way up, brought to a square."""
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    if picture.mode == "I;16":
        picture = Image.fromarray((np.array(picture) >> 8).astype(np.uint8))
    if picture.mode in ("LA", "RGBA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return np.array(picture.convert("RGB").resize((side, side), Image.Resampling.BILINEAR))


# PNG


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", binascii.crc32(name + content))


def png(numbers: np.ndarray, bits: int, kind: int, more: bytes = b"", interlaced: bool = False) -> bytes:
    """A PNG of numbers (height, width, channels), whose chunks begin with `more`."""
    turns = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    rows = b""
    for left, top, right, down in turns if interlaced else [(0, 0, 1, 1)]:
        for row in numbers[top::down, left::right]:
            rows += b"\0" + packed(row.reshape(-1), bits) if row.size else b""
    height, width = numbers.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, interlaced)
    chunks = [chunk(b"IHDR", header), more, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def packed(numbers: np.ndarray, bits: int) -> bytes:
    """Numbers of 1 to 16 bits one after the other, the highest bit first."""
    return np.packbits(numbers[:, None] >> np.arange(bits - 1, -1, -1) & 1).tobytes()


def few_colours(width: int, height: int, mode: str = "RGB") -> Image.Image:
    return scene(width, height).quantize(5).convert(mode)


def with_colour_key(width: int, height: int, mode: str) -> bytes:
    picture = few_colours(width, height, mode)
    return encoded(picture, "PNG", transparency=picture.getpixel((width // 2, height // 2)))


def exif_after_the_colours(width: int, height: int) -> bytes:
    content = encoded(scene(width, height), "PNG")
    return content[:-12] + chunk(b"eXIf", exif(6).removeprefix(b"Exif\0\0")) + content[-12:]


def exif(orientation: int) -> bytes:
    data = Image.Exif()
    data[ORIENTATION] = orientation
    return data.tobytes()


# GIF


def gif_with_own_colours(width: int, height: int) -> bytes:
    """The colours that stand before all pictures are moved to the first."""
    content = encoded(few_colours(width, height, "P"), "GIF", transparency=2)
    size = content[10] & 7
    end = 13 + 6 * 2**size
    place = content.index(b",\0\0\0\0", end) + 9
    own = bytes([content[place] | 0x80 | size]) + content[13:end]
    return content[:10] + bytes([content[10] & 0x78]) + content[11:13] + content[end:place] + own + content[place + 1 :]


def gif_on_a_larger_screen(width: int, height: int) -> bytes:
    """Where the picture does not reach nothing is seen, as Pillow has it where a colour is transparent."""
    content = bytearray(encoded(few_colours(width, height, "P"), "GIF", transparency=2))
    content[6:10] = struct.pack("<HH", width + 9, height + 5)
    place = content.index(b",\0\0\0\0")
    content[place + 1 : place + 5] = struct.pack("<HH", 4, 2)
    return bytes(content)


# BMP

MASKS_555, MASKS_565 = (0x7C00, 0x03E0, 0x001F), (0xF800, 0x07E0, 0x001F)
COLOURS = np.random.default_rng(1).integers(0, 256, (256, 4)).astype(np.uint8)


def bmp(
    width: int, height: int, bits: int, rows: bytes, *, colours: int = 0, header: int = 40, compression=0, masks=()
):
    """A BMP; the rows stand as they are."""
    if header == 12:
        head = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(rows), 0, 0, 0, 0)
        head = struct.pack("<I", header) + head[4:]
    head += struct.pack(f"<{len(masks)}I", *masks)
    head = head.ljust(header, b"\0") + COLOURS[:colours, : 3 if header == 12 else 4].tobytes()
    return b"BM" + struct.pack("<IHHI", 14 + len(head) + len(rows), 0, 0, 14 + len(head)) + head + rows


def rows_of(numbers: np.ndarray, bits: int) -> bytes:
    """Rows from the lowest up, each brought to a multiple of 4 bytes."""
    rows = [packed(row, bits) for row in numbers[::-1]]
    return b"".join(row + bytes(-len(row) % 4) for row in rows)


def indexed_bmp(bits: int, **options) -> Callable[[int, int], bytes]:
    def make(width, height):
        return bmp(width, height, bits, rows_of(numbers_of(width, height, 2**bits), bits), colours=2**bits, **options)

    return make


def numbers_of(width: int, height: int, count: int) -> np.ndarray:
    return (np.arange(height)[:, None] // 2 + np.arange(width) // 3) % min(count, 9)


def coloured_bmp(bits: int, masks, **options) -> Callable[[int, int], bytes]:
    def make(width, height):
        rows = b""
        for row in np.array(scene(width, height, "RGBA")).astype(np.uint32)[::-1]:
            pixels = np.zeros(width, np.uint32)
            for channel, mask in zip(row.T, masks, strict=False):
                if mask:
                    lowest = mask & -mask
                    pixels |= (channel >> (8 - (mask // lowest).bit_length())) * np.uint32(lowest)
            row = pixels.view(np.uint8).reshape(width, 4)[:, : bits // 8].tobytes()
            rows += row + bytes(-len(row) % 4)
        return bmp(width, height, bits, rows, masks=masks if options.get("compression") else (), **options)

    return make


def top_down(make: Callable[[int, int], bytes]) -> Callable[[int, int], bytes]:
    def turn(width, height):
        content = make(width, height)
        return content[:22] + struct.pack("<i", -height) + content[26:]

    return turn


def bmp_in_runs(bits: int) -> Callable[[int, int], bytes]:
    """In each row runs and what is not in runs take turns."""

    def make(width, height):
        rows = b""
        for row in numbers_of(width, height, 9)[::-1]:
            place = 0
            while place < width:
                rest = row[place : place + 5]
                if place % 2 and len(rest) > 2:
                    literal = packed(np.pad(rest, (0, len(rest) % 2)), bits)[: (len(rest) * bits + 7) // 8]
                    rows += bytes([0, len(rest)]) + literal + bytes(len(literal) % 2)
                else:
                    rest = rest[: np.argmin(np.append(rest == rest[0], False))]
                    rows += bytes([len(rest), rest[0] if bits == 8 else 17 * rest[0]])
                place += len(rest)
            rows += b"\0\0"
        return bmp(width, height, bits, rows[:-2] + b"\0\1", colours=2**bits, compression=1 if bits == 8 else 2)

    return make


# JPEG


def without_adobe(width: int, height: int) -> bytes:
    content = encoded(scene(width, height, "CMYK"), "JPEG", quality=95)
    place = content.index(b"\xff\xee")
    return content[:place] + content[place + 2 + int.from_bytes(content[place + 2 : place + 4], "big") :]


def _written(kind: str, mode: str = "RGB", **options) -> Callable[[int, int], bytes]:
    return lambda width, height: encoded(scene(width, height, mode), kind, **options)


def _animated(kind: str, mode: str = "RGB", **options) -> Callable[[int, int], bytes]:
    def make(width, height):
        others = [Image.new("RGB", (width, height), colour) for colour in ("red", "blue")]
        return encoded(scene(width, height, mode), kind, save_all=True, append_images=others, **options)

    return make


def _few_colours(kind: str, **options) -> Callable[[int, int], bytes]:
    return lambda width, height: encoded(few_colours(width, height, "P"), kind, **options)


def _of_16_bits(width: int, height: int) -> bytes:
    return encoded(Image.fromarray(np.arange(width * height).reshape(height, width).astype(np.uint16) * 61), "PNG")


# From what a file holds to what makes one of a width and height.
KINDS: dict[str, Callable[[int, int], bytes]] = {
    "JPEG": _written("JPEG", quality=95),
    "JPEG, grey": _written("JPEG", "L"),
    "JPEG, CMYK": _written("JPEG", "CMYK", quality=95),
    "JPEG, CMYK without Adobe's mark": without_adobe,
    "JPEG, progressive": _written("JPEG", progressive=True),
    "JPEG, not subsampled": _written("JPEG", subsampling=0),
    "JPEG, stored as RGB": _written("JPEG", keep_rgb=True, quality=95),
    "PNG": _written("PNG"),
    "PNG, grey": _written("PNG", "L"),
    "PNG, grey and alpha": _written("PNG", "LA"),
    "PNG, grey of 16 bits": _of_16_bits,
    "PNG, grey with a colour key": lambda *size: with_colour_key(*size, "L"),
    "PNG, RGBA": _written("PNG", "RGBA"),
    "PNG, RGB with a colour key": lambda *size: with_colour_key(*size, "RGB"),
    "PNG, palette": _written("PNG", "P"),
    "PNG, palette of 2 bits": lambda *size: encoded(scene(*size).quantize(4), "PNG"),
    "PNG, palette with a transparent colour": _few_colours("PNG", transparency=2),
    "PNG, palette with alpha": _few_colours("PNG", transparency=bytes([0, 80, 160, 255, 255])),
    "PNG, 1 bit": _written("PNG", "1"),
    "PNG, 1 bit with a colour key": _written("PNG", "1", transparency=255),
    "PNG, interlaced": lambda *size: png(np.array(scene(*size)), 8, 2, interlaced=True),
    "PNG, animated": _animated("PNG"),
    "PNG, turned": _written("PNG", exif=exif(6)),
    "PNG, turned by what follows": exif_after_the_colours,
    "GIF": _written("GIF"),
    "GIF, grey": _written("GIF", "L"),
    "GIF, not interlaced": _written("GIF", interlace=0),
    "GIF, a transparent colour": _few_colours("GIF", transparency=2),
    "GIF, RGBA": _written("GIF", "RGBA"),
    "GIF, own colours": gif_with_own_colours,
    "GIF, a larger screen": gif_on_a_larger_screen,
    "GIF, animated": _animated("GIF"),
    "GIF, a comment": _written("GIF", comment=b"x" * 700),
    "BMP": _written("BMP"),
    "BMP, grey": _written("BMP", "L"),
    "BMP, palette": lambda *size: encoded(scene(*size).quantize(9), "BMP"),
    "BMP, RGBA": _written("BMP", "RGBA"),
    "BMP, 1 bit": indexed_bmp(1),
    "BMP, 4 bits": indexed_bmp(4),
    "BMP, 8 bits": indexed_bmp(8),
    "BMP, 1 bit of OS2": indexed_bmp(1, header=12),
    "BMP, 4 bits of OS2": indexed_bmp(4, header=12),
    "BMP, 8 bits of OS2": indexed_bmp(8, header=12),
    "BMP, 24 bits of OS2": coloured_bmp(24, (0xFF0000, 0xFF00, 0xFF), header=12),
    "BMP, 24 bits of V5": coloured_bmp(24, (0xFF0000, 0xFF00, 0xFF), header=124),
    "BMP, 24 bits, top down": top_down(coloured_bmp(24, (0xFF0000, 0xFF00, 0xFF))),
    "BMP, 8 bits, top down": top_down(indexed_bmp(8)),
    "BMP, 16 bits": coloured_bmp(16, MASKS_555),
    "BMP, 16 bits with masks of 555": coloured_bmp(16, MASKS_555, compression=3),
    "BMP, 16 bits with masks of 565": coloured_bmp(16, MASKS_565, compression=3),
    "BMP, 16 bits of V4": coloured_bmp(16, (*MASKS_565, 0), compression=3, header=108),
    "BMP, 32 bits with masks": coloured_bmp(32, (0xFF0000, 0xFF00, 0xFF), compression=3),
    "BMP, 32 bits, blue first": coloured_bmp(32, (0xFF000000, 0xFF0000, 0xFF00), compression=3),
    "BMP, 32 bits of V5, red first": coloured_bmp(32, (0xFF, 0xFF00, 0xFF0000, 0xFF000000), compression=3, header=124),
    "BMP, 32 bits of V5, alpha first": coloured_bmp(
        32, (0xFF000000, 0xFF0000, 0xFF00, 0xFF), compression=3, header=124
    ),
    "BMP, 32 bits of V4, blue first": coloured_bmp(32, (0xFF0000, 0xFF00, 0xFF, 0xFF000000), compression=3, header=108),
    "BMP, runs of 8 bits": bmp_in_runs(8),
    "BMP, runs of 4 bits": bmp_in_runs(4),
    "WebP": _written("WEBP", lossless=True),
    "WebP, lossy": _written("WEBP", quality=90),
    "WebP, RGBA": _written("WEBP", "RGBA", lossless=True),
    "WebP, lossy RGBA": _written("WEBP", "RGBA", quality=90),
    "WebP, animated": _animated("WEBP", lossless=True),
    "WebP, animated RGBA": _animated("WEBP", "RGBA", lossless=True),
    "WebP, turned": _written("WEBP", lossless=True, exif=exif(6)),
    "WebP, animated and turned": _animated("WEBP", lossless=True, exif=exif(6)),
}

# Kinds that are not read, and what they are called.
OTHER_KINDS: dict[str, bytes] = {
    name: encoded(scene(8, 8), written)
    for name, written in {
        "a TIFF": "TIFF", "an AVIF": "AVIF", "a JPEG 2000": "JPEG2000", "an ICO": "ICO", "a PNM": "PPM", "a PDF": "PDF"
    }.items()
} | {"a HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a JPEG XL": b"\xff\x0a\xfa\x1f", "an SVG": b"<svg xmlns="}  # fmt: skip
