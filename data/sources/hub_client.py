"""What is asked of the Hugging Face hub, through huggingface_hub, and what its answers mean.

Its cache, its token and HF_ENDPOINT are huggingface_hub's, which is imported when it is needed.
"""

import contextlib
import dataclasses
import hashlib
import os
import re
import sys
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from data.errors import UserError

PREFIX = "hf:"
_ADDRESS = re.compile(r"hf:(?P<repository>[\w.-]+/[\w.-]+)(?:/(?P<configuration>[^@/]+))?(?:@(?P<revision>\S+))?")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SECONDS = 10.0


@dataclasses.dataclass(frozen=True)
class Address:
    """What `hf:OWNER/NAME[/CONFIGURATION][@REVISION]` says.

    Args:
        repository: OWNER/NAME.
        configuration: Which of the data set's configurations; "" means the usual one.
        revision: A branch, a tag or a commit; "" means what the hub has now.
    """

    repository: str
    configuration: str = ""
    revision: str = ""

    @classmethod
    def parse(cls, word: str) -> Self:
        """Reads an address; a `UserError` where it is none."""
        found = _ADDRESS.fullmatch(word.strip())
        if not found:
            raise UserError(
                f"{word}: expected hf:OWNER/NAME, hf:OWNER/NAME/CONFIGURATION or one of them with @REVISION"
            )
        return cls(found["repository"], found["configuration"] or "", found["revision"] or "")

    @property
    def is_pinned(self) -> bool:
        """Whether the revision is a commit, which always holds the same files."""
        return bool(_COMMIT.fullmatch(self.revision))

    def __str__(self) -> str:
        configuration = f"/{self.configuration}" if self.configuration else ""
        return f"{PREFIX}{self.repository}{configuration}{f'@{self.revision}' if self.revision else ''}"


@dataclasses.dataclass(frozen=True)
class Listing:
    """The files of a repository at a commit.

    Args:
        commit: 40 hexadecimal digits.
        sizes: From a file's path to its bytes; 0 where the hub does not tell.
        checksums: The SHA-256 of the files that are kept outside of git, and git's own, a SHA-1, of the others.
    """

    commit: str
    sizes: Mapping[str, int]
    checksums: Mapping[str, str]


def list_files(repository: str, revision: str = "") -> Listing:
    """Asks the hub for the files of a repository.

    Raises:
        UserError: There is no such repository or revision, or it is not open to everyone.
        Unreachable: The hub does not answer.
    """
    with _asking(repository, revision):
        api = library().HfApi(endpoint=endpoint())
        info = api.dataset_info(repository, revision=revision or None, files_metadata=True, timeout=_SECONDS)
    if not _COMMIT.fullmatch(info.sha or ""):
        raise UserError(f"hf:{repository}: {host()} does not tell the commit; is it a hub?")
    siblings = info.siblings or []
    return Listing(
        info.sha,
        {file.rfilename: file.size or 0 for file in siblings},
        {file.rfilename: file.lfs.sha256 if file.lfs else file.blob_id or "" for file in siblings},
    )


def endpoint() -> str:
    """The hub's address: HF_ENDPOINT, by default https://huggingface.co."""
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def host() -> str:
    """The hub's host."""
    return urllib.parse.urlsplit(endpoint()).netloc


class Unreachable(Exception):
    """The hub does not answer."""


def library() -> Any:
    """The module huggingface_hub; a `UserError` that tells how to get it where it is not installed."""
    try:
        import huggingface_hub
    except ImportError:
        raise UserError("data sets of the hub are read by huggingface_hub; pip install huggingface_hub") from None
    if not sys.stderr.isatty():
        from huggingface_hub.utils import disable_progress_bars

        disable_progress_bars()
    return huggingface_hub


@contextlib.contextmanager
def _asking(repository: str, revision: str = "") -> Iterator[None]:
    """Says in one line what the hub or the way to it has against a request."""
    library()
    from huggingface_hub import errors

    address = f"{endpoint()}/datasets/{repository}"
    try:
        yield
    except errors.GatedRepoError:
        raise UserError(
            f"hf:{repository} is given to those who accept its terms: at {address}, then hf auth login"
        ) from None
    except errors.RepositoryNotFoundError:
        raise UserError(
            f"hf:{repository}: no such data set on {host()}, or not open to everyone; look at {address}, "
            "and hf auth login for what is your own"
        ) from None
    except errors.RevisionNotFoundError:
        raise UserError(f"hf:{repository} has no revision {revision!r}; look at {address}/tree/main") from None
    except errors.OfflineModeIsEnabled:
        raise Unreachable("HF_HUB_OFFLINE keeps from asking the hub") from None
    except errors.LocalEntryNotFoundError as error:  # neither in the cache nor to be had
        raise Unreachable(_no_answer(error)) from None
    except errors.EntryNotFoundError as error:
        raise UserError(f"hf:{repository}@{revision}: {_shortened(error)}") from None
    except errors.HFValidationError as error:
        raise UserError(f"hf:{repository}: {_shortened(error)}") from None
    # The last three: a page of a proxy instead of an answer, and hf_xet, which downloads for huggingface_hub.
    except (errors.HTTPError, OSError, ValueError, KeyError, RuntimeError) as error:
        if isinstance(error, OSError) and error.errno and not isinstance(error, ConnectionError):
            raise  # the disk
        raise Unreachable(_no_answer(error)) from None


def _no_answer(error: Exception) -> str:
    return f"{host()} does not answer ({type(error.__cause__ or error).__name__}: {_shortened(error)})"


def _shortened(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def download_file(pinned: Address, file: str, checksum: str = "") -> Path:
    """Downloads a file, unless it is in huggingface_hub's cache.

    Args:
        pinned: The repository and the commit.
        file: The file's path in the repository.
        checksum: The SHA-256 that it must have, or git's SHA-1 (40 digits), or "".

    Returns:
        The file in the cache.

    Raises:
        UserError: There is no such file, the hub does not give it, or gives another one.
    """
    try:
        with _asking(pinned.repository, pinned.revision):
            path = library().hf_hub_download(
                pinned.repository, file, repo_type="dataset", revision=pinned.revision, endpoint=endpoint()
            )
    except Unreachable as error:
        raise UserError(f"{pinned}: {file}: {error}; run the command again") from None
    path = Path(path).resolve()
    if checksum:
        of_git = len(checksum) == 40
        with open(path, "rb") as stream:
            # Git's names of files are no secrets: systems on which SHA-1 is forbidden for those allow them.
            beginning = b"blob %d\0" % path.stat().st_size
            total = hashlib.sha1(beginning, usedforsecurity=False) if of_git else hashlib.sha256()
            found = hashlib.file_digest(stream, lambda: total).hexdigest()
        if found != checksum:
            path.unlink()
            name = "SHA-1" if of_git else "SHA-256"
            raise UserError(f"{pinned}: what {host()} gave for {file} is not that file (its {name} differs); try again")
    return path


def is_cached(pinned: Address, file: str) -> bool:
    """Whether a file of a commit is in huggingface_hub's cache."""
    found = library().try_to_load_from_cache(pinned.repository, file, revision=pinned.revision, repo_type="dataset")
    return isinstance(found, str)
