"""Download a file from the first of several mirrors that delivers it whole and as published."""

import contextlib
import fcntl
import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import requests
from tqdm import tqdm

from workflow.data import idx

# Statuses worth a retry; any other error status is final.
TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_PIECE = 1 << 16  # bytes written at a time
CONTENT, FILE = "content", "file"  # what a digest is of


class DownloadError(Exception):
    """No mirror delivered the file, or writing it failed."""


def download(
    urls: Sequence[str],
    target: Path,
    *,
    sha256: str,
    digest_of: str = CONTENT,
    retries: int = 2,
    backoff: float = 0.5,
    timeout: tuple[float, float] = (5.0, 30.0),
    limit: int = idx.MAX_CONTENT,
) -> None:
    """Fetch `target` from the first of `urls` whose content has the digest `sha256`.

    Bytes accumulate in `<target>.part`, from which an interrupted download resumes, in a later
    process too; `target` appears only once its content is verified. An existing `target` is kept.

    Args:
        urls: mirrors, the preferred one first.
        target: file to write; its folder is created if needed.
        sha256: digest that the file must have.
        digest_of: what it is the digest of, see `digest`.
        retries: further attempts for each mirror after a transient failure.
        backoff: seconds before the first retry, doubled for each later one.
        timeout: seconds to wait for a connection and for each piece of data.
        limit: most bytes to accept, against a mirror that never stops sending.

    Raises:
        DownloadError: lists each mirror with its reason, and where to put the file by hand.
    """
    part = target.with_name(target.name + ".part")
    reasons = []
    # Ask the mirrors in turn; each failure is reported only if all of them fail.
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone_in(target.parent):
            if target.exists():  # another process fetched it while this one waited
                return
            for url in urls:
                try:
                    _fetch(url, part, sha256, digest_of, retries, backoff, timeout, limit)
                except (requests.RequestException, ValueError) as error:
                    reasons.append(f"  {url}: {_reason(error)}")
                else:
                    part.replace(target)
                    return
    except OSError as error:
        raise DownloadError(f"cannot download to {target}: {error}") from error
    raise DownloadError(
        "\n".join([f"no mirror delivered {target.name}:", *reasons])
        + f"\nput the file {target.name} into the folder {target.parent} by hand"
    )


def _fetch(
    url: str,
    part: Path,
    sha256: str,
    digest_of: str,
    retries: int,
    backoff: float,
    timeout: tuple[float, float],
    limit: int,
) -> None:
    """Complete `part` from one mirror.

    Raises:
        ValueError: the content is not as published.
    """
    inherited = part.exists()
    for attempt in range(retries + 1):
        try:
            _transfer(url, part, timeout, limit)
            break
        except requests.RequestException as error:
            if attempt == retries or not _is_transient(error):
                raise
            time.sleep(backoff * 2**attempt)
    try:
        _check_digest(part, sha256, digest_of)
    except ValueError:
        part.unlink()
        if not inherited:
            raise
        # The beginning came from another mirror, whose compressed bytes may differ: start over.
        _fetch(url, part, sha256, digest_of, retries, backoff, timeout, limit)


def _transfer(url: str, part: Path, timeout: tuple[float, float], limit: int) -> None:
    """Request what `part` lacks; start over if the server ignores Range."""
    offset = part.stat().st_size if part.exists() else 0
    # Without `identity` a server may send a .gz as content encoding, without a length.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={offset}-"} if offset else {})
    with requests.get(url, headers=headers, stream=True, timeout=timeout) as response:
        if offset and response.status_code == requests.codes.requested_range_not_satisfiable:
            return  # the part is whole or of another file: the digest decides
        response.raise_for_status()
        resumed = response.status_code == requests.codes.partial_content
        if resumed and not response.headers.get("Content-Range", "").startswith(f"bytes {offset}-"):
            part.unlink(missing_ok=True)
            raise requests.ConnectionError("the server sent another range than requested")
        # The total is known only for bytes that arrive as they are.
        length = response.headers.get("Content-Length", "")
        encoded = "Content-Encoding" in response.headers
        start = offset if resumed else 0
        total = start + int(length) if length.isdecimal() and not encoded else None
        if not _append(response, part, start, total, limit):
            part.unlink()
            raise ValueError(f"it sends more than {limit} bytes")
    if total is not None and part.stat().st_size < total:
        raise requests.ConnectionError(f"broke off after {part.stat().st_size} of {total} bytes")


def _append(
    response: requests.Response, part: Path, start: int, total: int | None, limit: int
) -> bool:
    """Write the body of `response` into `part` from byte `start` on, with a progress bar.

    Returns:
        Whether the body stays within the limit, where it is cut off.
    """
    bar = tqdm(  # disable=None: silent unless stderr is a terminal
        total=total, initial=start, unit="B", unit_scale=True, desc=part.stem, disable=None
    )
    with part.open("ab" if start else "wb") as file, bar:
        for piece in response.iter_content(_PIECE):
            if file.tell() + len(piece) > limit:
                return False
            file.write(piece)
            bar.update(len(piece))
    return True


def digest(path: Path, digest_of: str) -> str:
    """SHA-256 of a file.

    Args:
        path: of the file.
        digest_of: `CONTENT`, without gzip, which mirrors compress differently, or `FILE`, the bytes
            as published.

    Raises:
        ValueError: its gzip stream is damaged.
        OSError: it cannot be read.
    """
    if digest_of == CONTENT:
        return hashlib.sha256(idx.read_content(path)).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_digest(part: Path, sha256: str, digest_of: str) -> None:
    """Compare `part` with its digest.

    Raises:
        ValueError: they differ; names both digests.
    """
    found = digest(part, digest_of)
    if found != sha256:
        raise ValueError(f"the {digest_of} has the sha256 {found}, expected {sha256}")


def _is_transient(error: requests.RequestException) -> bool:
    """Whether a retry of the request may succeed."""
    if error.response is not None:
        return error.response.status_code in TRANSIENT
    # A host that does not accept the connection in time counts as dead: with retries, a firewall
    # that drops packets would cost a minute per file.
    permanent = (requests.exceptions.ConnectTimeout, requests.exceptions.SSLError)
    transient = (
        requests.ConnectionError,
        requests.Timeout,
        requests.exceptions.ChunkedEncodingError,
    )
    return isinstance(error, transient) and not isinstance(error, permanent)


def _reason(error: Exception) -> str:
    """Say in a few words why a mirror failed."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP {response.status_code} {response.reason}"
    # A refused connection reaches us as requests(urllib3's MaxRetryError(the cause)).
    cause = getattr(error.args[0], "reason", None) if error.args else None
    return str(cause or error) or type(error).__name__


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Lock `folder`, so that two processes never write the same `.part`."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        # Without locks in the file system, the checksum is the only guard.
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
