"""Fetching the public sets that torchvision knows, with progress and cancel, checked by their published MD5."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from latentlab.core.errors import InputError
from latentlab.core.messages import ProgressSink
from latentlab.core.paths import cache_dir
from latentlab.data.progress import Ticker

TIMEOUT_S = 20.0
_BLOCK = 1 << 16
_KB = 1024


def downloads_dir() -> Path:
    """Return the folder for fetched sets, laid out as torchvision's root."""
    return cache_dir() / "downloads"


def fetch(urls: Sequence[str], target: Path, md5: str, progress: ProgressSink, *, spec: str) -> None:
    """Fetch a file from the first of ``urls`` that has it, unless it is there already.

    Parameters
    ----------
    urls
        Mirrors, tried in turn.
    target
        Where the file goes; it appears whole and checked, or not at all.
    md5
        Published checksum, hexadecimal.
    progress
        Counts kilobytes; may raise ``Cancelled``.
    spec
        The data spec's kind, for the error.

    Raises
    ------
    InputError
        If no mirror could be reached or what came is not the file that was published.
    """
    if target.is_file():
        return
    work = target.with_name(f".{target.name}-{os.getpid()}")
    reasons = []
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for url in urls:
            try:
                digest = _stream(url, work, progress)
            except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
                reasons.append(_reason(error))
                continue
            if digest == md5:
                work.replace(target)
                return
            reasons.append("what came is not the published file")
    except OSError as error:
        reasons.append(f"{target.parent} cannot be written: {error.strerror}")
    finally:
        with contextlib.suppress(OSError):
            work.unlink(missing_ok=True)
    raise InputError(
        f"{spec} could not be downloaded: {'; '.join(dict.fromkeys(reasons))}",
        where=target.name,
        hint=f"If you have it on disk, name its folder: {spec}:DIR. The built-in digits and arena need no download.",
    )


def _reason(error: Exception) -> str:
    cause = getattr(error, "reason", error)
    return str(getattr(cause, "strerror", None) or cause)


def _stream(url: str, work: Path, progress: ProgressSink) -> str:
    """Write what ``url`` answers to ``work`` and return its MD5."""
    digest = hashlib.md5(usedforsecurity=False)
    request = urllib.request.Request(url, headers={"User-Agent": "latentlab"})
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer, work.open("wb") as file:
        length = answer.headers.get("Content-Length")
        total = int(length) // _KB if length else None
        ticker = Ticker(progress, f"Downloading {work.name[1:].rpartition('-')[0]} (kB)", total)
        done = 0
        while block := answer.read(_BLOCK):
            file.write(block)
            digest.update(block)
            done += len(block)
            ticker.at(done // _KB)
    return digest.hexdigest()
