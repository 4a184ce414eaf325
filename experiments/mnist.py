"""Read MNIST: from a folder the user names, a copy next to the project, or a mirror.

Whatever the source, the SHA-256 of the raw (decompressed) content is checked, so that every
network of ``data/`` was provably trained on the same images.
"""

import gzip
import hashlib
import http.client
import io
import os
import urllib.request
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.files import write_atomically
from milpcount.errors import FileFormatError, InputError

ENVIRONMENT = "MILPCOUNT_MNIST"
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
SECONDS_PER_FILE = 60
NEARBY = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "mnist"


@dataclass(frozen=True)
class IdxFile:
    """One of the four files: its name without ``.gz``, its raw size and SHA-256."""

    name: str
    size: int
    sha256: str


FILES = (
    IdxFile(
        "train-images-idx3-ubyte",
        47_040_016,
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    IdxFile(
        "train-labels-idx1-ubyte",
        60_008,
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    IdxFile(
        "t10k-images-idx3-ubyte",
        7_840_016,
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    IdxFile(
        "t10k-labels-idx1-ubyte",
        10_008,
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
)


@dataclass(frozen=True, eq=False)
class Mnist:
    """Images as rows of bytes (0 to 255), labels as int64."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def load_mnist(folder: str | Path | None = None) -> Mnist:
    """Return MNIST, checked.

    Parameters
    ----------
    folder : str or Path, optional
        Holds the four idx files, gzipped or not. By default the environment variable
        ``MILPCOUNT_MNIST``, then ``../shared/data/mnist`` next to the project, then a cache
        that is filled from the mirrors.

    Raises
    ------
    InputError
        If a named folder lacks a file, or no mirror answers.
    FileFormatError
        If a file is truncated or is not the published one.
    """
    named = folder or os.environ.get(ENVIRONMENT)
    if named:
        where = Path(named).expanduser()
    elif all(_find(NEARBY, file) for file in FILES):
        where = NEARBY
    else:
        where = cache_folder()
        for file in FILES:
            ensure_cached(file, where, MIRRORS)
    arrays = [read_idx(_existing(where, file), file) for file in FILES]
    train_images, train_labels, test_images, test_labels = arrays
    return Mnist(
        train_images.reshape(len(train_images), -1),
        train_labels.astype(np.int64),
        test_images.reshape(len(test_images), -1),
        test_labels.astype(np.int64),
    )


def read_idx(path: Path, expected: IdxFile) -> np.ndarray:
    """Return the bytes of an idx file as an array of its dimensions.

    Parameters
    ----------
    path : Path
        The file, gzipped if its name ends in ``.gz``.
    expected : IdxFile
        The size and SHA-256 that the raw content must have.

    Raises
    ------
    FileFormatError
        If the file cannot be decompressed or its content differs.
    """
    try:
        raw = _checked(path.read_bytes(), path.suffix == ".gz", expected)
    except FileFormatError as error:
        raise FileFormatError(
            f"{path}: {error}; replace it by the published file, or name another folder "
            f"with --mnist DIR or {ENVIRONMENT}"
        ) from error
    rank = raw[3]
    header = np.frombuffer(raw, ">i4", count=1 + rank)
    return np.frombuffer(raw, np.uint8, offset=header.nbytes).reshape(tuple(header[1:]))


def ensure_cached(file: IdxFile, folder: Path, mirrors: tuple[str, ...]) -> Path:
    """Return the file in the cache, fetched from the first mirror that has it intact.

    A file that is there already is trusted only after its SHA-256 is checked: the cache is
    ours, so a bad one is fetched again rather than complained about.

    Raises
    ------
    InputError
        If no mirror gives the published content.
    """
    target = folder / f"{file.name}.gz"
    try:
        _checked(target.read_bytes(), True, file)
        return target
    except (FileNotFoundError, FileFormatError):
        pass
    failures = []
    for mirror in mirrors:
        try:
            packed = _fetch(f"{mirror}{file.name}.gz", limit=file.size + 1000)
            _checked(packed, True, file)
        except (OSError, http.client.HTTPException, FileFormatError) as error:
            failures.append(f"{mirror}: {error}")
            continue
        write_atomically(target, packed)
        return target
    raise InputError(
        f"cannot download {file.name}.gz ({'; '.join(failures)}): put the four MNIST files in a "
        f"folder and name it with --mnist DIR or {ENVIRONMENT}"
    )


def cache_folder() -> Path:
    """Return where downloads are kept: ``$XDG_CACHE_HOME`` or ``~/.cache``, then ours."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "milpcount" / "mnist"


def _fetch(url: str, limit: int) -> bytes:
    """Return what a URL holds; `limit` bounds the memory a bad mirror can cost."""
    with urllib.request.urlopen(url, timeout=SECONDS_PER_FILE) as answer:
        packed: bytes = answer.read(limit + 1)
    return packed


def _checked(data: bytes, packed: bool, expected: IdxFile) -> bytes:
    """Return the raw content if it is the published one."""
    try:
        raw = _unpacked(data, expected.size + 1) if packed else data
    except (OSError, EOFError, zlib.error) as error:
        raise FileFormatError(f"truncated or not gzip ({error})") from error
    if len(raw) != expected.size:
        raise FileFormatError(
            f"{len(raw)} bytes where {expected.name} has {expected.size}: truncated or another file"
        )
    found = hashlib.sha256(raw).hexdigest()
    if found != expected.sha256:
        raise FileFormatError(f"SHA-256 is {found[:16]}…, not {expected.sha256[:16]}…: not MNIST")
    return raw


def _unpacked(data: bytes, limit: int) -> bytes:
    """Return up to `limit` decompressed bytes: a small file can unpack to more than memory."""
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
        return stream.read(limit)


def _find(folder: Path, file: IdxFile) -> Path | None:
    paths = (folder / f"{file.name}.gz", folder / file.name)
    return next((path for path in paths if path.is_file()), None)


def _existing(folder: Path, file: IdxFile) -> Path:
    path = _find(folder, file)
    if path is None:
        raise InputError(
            f"{folder} has neither {file.name}.gz nor {file.name}: name the folder of the four "
            f"MNIST files with --mnist DIR or {ENVIRONMENT}, or leave both out to download them"
        )
    return path
