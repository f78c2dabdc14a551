"""All pictures of a set, decoded once into one array, in memory or in a file that goes away."""

import dataclasses
import errno
import functools
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import tensorflow as tf

from data.captioned_pictures.decoding import decode_picture, why_not_decoded
from data.captioned_pictures.files import PictureFiles
from data.captioned_pictures.kinds import LONGEST_BEGINNING, READ_KINDS, kind_of, why_not_read
from data.chunks import chunks
from data.errors import UserError

LARGEST_IN_MEMORY = 2 * 2**30  # bytes
# What stays free on a disk after the pictures have been written to it.
_SPARED = 2**28  # bytes
_AT_ONCE = 64
# What stands for a picture that cannot be decoded; the last where TensorFlow's message quotes bytes of the picture.
_NOT_DECODED = (tf.errors.OpError, UnicodeDecodeError)
# Threads that asked for the explainer at a time would each make it.
_EXPLAINING = threading.Lock()
# No picture begins with it: what follows says why a file could not be read.
_NOT_READ = b"\0could not be read: "


@dataclasses.dataclass(frozen=True)
class DecodedPictures:
    """Pictures as one array.

    Args:
        pictures: uint8 (count, side, side, 3); zeros where one could not be read.
        unreadable: From the number of each picture that could not be read to the reason.
    """

    pictures: np.ndarray
    unreadable: dict[int, str]


def file_contents(files: PictureFiles, names: Sequence[str]) -> Iterator[bytes]:
    """Reads picture files, several at once.

    Args:
        files: Where the pictures are.
        names: Which are read, of `files.places`.

    Yields:
        The files' bytes, in the order of the names. For a file that cannot be read, what `decode_pictures` takes for an
        unreadable picture and gives the reason of.
    """

    def read(name: str) -> bytes:
        try:
            return files.read(name)
        except (UserError, OSError) as error:
            return _NOT_READ + str(error).encode(errors="replace")

    with ThreadPoolExecutor() as pool:
        for start in range(0, len(names), _AT_ONCE):
            yield from pool.map(read, names[start : start + _AT_ONCE])


def decode_pictures(
    contents: Iterable[bytes], count: int, side: int, folder: str | os.PathLike | None = None
) -> DecodedPictures:
    """Decodes pictures into one array, several at once, as `data.captioned_pictures.decoding.decode_picture` does.

    Args:
        contents: The bytes of each picture's file.
        count: How many there are.
        side: The squares' side in pixels.
        folder: Of an array larger than `LARGEST_IN_MEMORY`, where its file is put; None for the system's folder of
            temporary files. The file goes away with the array.

    Returns:
        The pictures in the order of the contents. Those that cannot be decoded are no error: they are named.

    Raises:
        UserError: The file has no room.
        ValueError: The contents are not `count`.

    Example:
        files = find_picture_files("flickr8k")
        decoded = decode_pictures(file_contents(files, names), len(names), 128)
        decoded.unreadable   # {17: "a damaged JPEG picture"}
    """
    pictures, unreadable, found = _new_array((count, side, side, 3), folder), {}, 0
    # Threads, of which TensorFlow lets several work, and not `tf.data`, whose every iterator takes a second to make.
    decode_one = functools.partial(_decode_one, side=side)
    with ThreadPoolExecutor() as pool:
        for chunk in chunks(contents, _AT_ONCE, len):
            for content in chunk:
                # Made here: threads that ask for the same decoder at a time would each make it.
                _decoder(_kind(content), side)
            for number, picture in enumerate(pool.map(decode_one, chunk[: count - found]), start=found):
                if isinstance(picture, str):
                    unreadable[number] = picture
                else:
                    pictures[number] = picture
            found += len(chunk)
    if found != count:
        raise ValueError(f"expected the contents of {count} pictures, found {found}")
    return DecodedPictures(pictures, unreadable)


def _decode_one(content: bytes, side: int) -> np.ndarray | str:
    """A picture uint8 (side, side, 3), or why it cannot be decoded, in a user's words."""
    if not content:
        return "0 bytes"
    if content.startswith(_NOT_READ):
        return content.removeprefix(_NOT_READ).decode(errors="replace")
    kind = _kind(content)
    decode = _decoder(kind, side)
    if decode is None:
        return why_not_read(kind)
    try:
        return decode(tf.constant(content)).numpy()
    except _NOT_DECODED as error:
        if isinstance(error, tf.errors.OpError) and not isinstance(error, tf.errors.InvalidArgumentError):
            reason = error.message.splitlines()[0]
            return type(error).__name__ if reason == "Graph execution error:" else reason
        with _EXPLAINING:
            return _explainer()(content).numpy().decode()


def _kind(content: bytes) -> str | None:
    return kind_of(content[:LONGEST_BEGINNING])


@functools.lru_cache(maxsize=40)
def _decoder(kind: str | None, side: int) -> Callable[[tf.Tensor], tf.Tensor] | None:
    """What decodes one picture of a kind: making it takes a third of a second. None for what is not read."""
    if kind not in READ_KINDS:
        return None

    def decode(content):
        # As in the exported model: small operations would go to a GPU and back.
        with tf.device("CPU:0"):
            return decode_picture(content, kind, side)

    signature = [tf.TensorSpec([], tf.string)]
    return tf.function(decode, input_signature=signature, autograph=False).get_concrete_function()


@functools.cache
def _explainer() -> tf.types.experimental.PolymorphicFunction:
    def explain(content):
        with tf.device("CPU:0"):
            return why_not_decoded(content)

    return tf.function(explain, input_signature=[tf.TensorSpec([], tf.string)], autograph=False)


def _new_array(shape: tuple[int, ...], folder: str | os.PathLike | None) -> np.ndarray:
    """An array of zeros in memory, or mapped to a temporary file."""
    size = int(np.prod(shape, dtype=np.int64))
    if size <= LARGEST_IN_MEMORY:
        return np.zeros(shape, np.uint8)
    folder = Path(tempfile.gettempdir() if folder is None else folder)
    needed, free = size + _SPARED, shutil.disk_usage(folder).free
    no_room = (
        f"{folder}: {shape[0]:,} pictures of {shape[1]} x {shape[2]} pixels need {needed / 2**30:.1f} GiB of room, "
        f"{free / 2**30:.1f} GiB are free; make room, or take smaller pictures"
    )
    if free < needed:
        raise UserError(no_room)
    with tempfile.TemporaryFile(dir=folder) as file:
        # Reserved, for a disk that fills up meanwhile would end the process without a word.
        if hasattr(os, "posix_fallocate"):
            try:
                os.posix_fallocate(file.fileno(), 0, size)
            except OSError as error:
                # Not every file system can.
                if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                    raise UserError(f"{no_room} ({error.strerror})") from None
        return np.memmap(file, np.uint8, mode="w+", shape=shape)
