"""What TensorFlow Datasets (TFDS) does otherwise than a command line wants it: how it prints, and how it downloads."""

import contextlib
import io
import sys
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def quiet_tfds() -> Iterator[None]:
    """Keeps what TFDS prints off standard output, and its progress bars off anything but a terminal."""
    import tensorflow_datasets as tfds

    tfds.display_progress_bar(sys.stderr.isatty())
    with contextlib.redirect_stdout(io.StringIO()):
        yield


@contextlib.contextmanager
def careful_downloads(
    url: str, *, tfds_url: str = "", archive: str = "", size: int = 0, sha256: str = ""
) -> Iterator[None]:
    """Changes, for as long as the context lasts, how TFDS gets an archive.

    Without a network TFDS asks eleven times, for 204 s; here three times. Of some archives it knows no SHA-256: then it
    takes any file for the archive, but none that was placed by hand.

    Args:
        url: Where the archive is downloaded from.
        tfds_url: The address that TFDS has for it; "" where that is `url`.
        archive: The name of a hand-placed archive.
        size: Of the archive, in bytes.
        sha256: Of the archive; "" where TFDS knows it.
    """
    from tensorflow_datasets.core.download import checksums, downloader
    from tensorflow_datasets.core.utils import Size

    tfds_url = tfds_url or url
    retries, ask = downloader.MAX_RETRIES, downloader._Downloader.download

    def download(self: downloader._Downloader, asked: str, *arguments: Any, **options: Any) -> Any:
        return ask(self, url if asked == tfds_url else asked, *arguments, **options)

    known = checksums.get_all_url_infos()
    before = {tfds_url: known[tfds_url]} if tfds_url in known else {}
    downloader.MAX_RETRIES, downloader._Downloader.download = 2, download
    if sha256:
        known[tfds_url] = checksums.UrlInfo(Size(size), sha256, archive)
    try:
        yield
    finally:
        downloader.MAX_RETRIES, downloader._Downloader.download = retries, ask
        known.pop(tfds_url, None)
        known.update(before)
