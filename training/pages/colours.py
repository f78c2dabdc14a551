"""Numbers as colours: a heat map as a picture, and a shade behind a word."""

import base64
import struct
import zlib

import numpy as np

# Of values below and above 0. As greys they differ, too; 0 is transparent, so that the page's own colour shows, light
# or dark.
NEGATIVE, POSITIVE = (49, 104, 214), (232, 130, 20)


def heat_map(values: np.ndarray) -> str:
    """Draws an array, a pixel a number: blue below 0, orange above, the fainter the nearer to 0.

    Args:
        values: (rows, columns).

    Returns:
        A PNG as a `data:` address.
    """
    values = np.nan_to_num(np.asarray(values, np.float32))
    largest = float(np.abs(values).max(initial=0)) or 1.0
    strength = np.clip(np.abs(values) / largest, 0, 1)
    pixels = np.empty((*values.shape, 4), np.uint8)
    pixels[..., :3] = np.where(values[..., np.newaxis] < 0, NEGATIVE, POSITIVE)
    pixels[..., 3] = np.round(255 * strength)
    return png(pixels)


def png(pixels: np.ndarray) -> str:
    """An array of bytes (height, width, 3 or 4) as a PNG, in a `data:` address."""
    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, {3: 2, 4: 6}[channels], 0, 0, 0)
    # Each row begins with the number of its filter: none.
    rows = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1).tobytes()
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def shade(value: float, largest: float) -> str:
    """The background of a word that counts so much, as CSS; text on it stays readable."""
    red, green, blue = NEGATIVE if value < 0 else POSITIVE
    strength = 0.6 * min(abs(value) / largest, 1) if largest else 0
    return f"rgba({red},{green},{blue},{strength:.2f})"
