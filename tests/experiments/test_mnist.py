import gzip
import hashlib
import struct

import numpy as np
import pytest

from experiments import mnist
from experiments.mnist import IdxFile, ensure_cached, load_mnist, read_idx
from milpcount.errors import FileFormatError, InputError


def idx(array):
    header = struct.pack(f">BBBB{array.ndim}i", 0, 0, 8, array.ndim, *array.shape)
    return header + array.astype(np.uint8).tobytes()


def described(name, raw):
    return IdxFile(name, len(raw), hashlib.sha256(raw).hexdigest())


@pytest.fixture
def published(tmp_path, monkeypatch):
    """Three images and two, in the place of MNIST; the folder of the gzipped files."""
    rng = np.random.default_rng(0)
    arrays = {
        "train-images": rng.integers(0, 256, (3, 2, 2)),
        "train-labels": rng.integers(0, 10, 3),
        "t10k-images": rng.integers(0, 256, (2, 2, 2)),
        "t10k-labels": rng.integers(0, 10, 2),
    }
    folder = tmp_path / "published"
    folder.mkdir()
    files = []
    for name, array in arrays.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
        files.append(described(name, idx(array)))
    monkeypatch.setattr(mnist, "FILES", tuple(files))
    monkeypatch.setattr(mnist, "NEARBY", tmp_path / "nowhere")
    monkeypatch.setattr(mnist, "MIRRORS", ())
    monkeypatch.delenv(mnist.ENVIRONMENT, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


def test_a_named_folder_is_read(published):
    data = load_mnist(published)
    assert data.train_images.shape == (3, 4) and data.train_images.dtype == np.uint8
    assert data.test_images.shape == (2, 4)
    assert data.train_labels.shape == (3,) and data.train_labels.dtype == np.int64
    file = mnist.FILES[1]
    raw = gzip.decompress((published / f"{file.name}.gz").read_bytes())
    assert data.train_labels.tolist() == list(raw[8:])


def test_the_environment_names_a_folder_and_raw_files_do(published, monkeypatch):
    packed = published / "t10k-images.gz"
    (published / "t10k-images").write_bytes(gzip.decompress(packed.read_bytes()))
    packed.unlink()
    monkeypatch.setenv(mnist.ENVIRONMENT, str(published))
    assert load_mnist().test_images.shape == (2, 4)


def test_a_copy_next_to_the_project_is_found(published, monkeypatch):
    monkeypatch.setattr(mnist, "NEARBY", published)
    assert load_mnist().train_images.shape == (3, 4)


def test_a_missing_file_is_named(published):
    (published / "t10k-labels.gz").unlink()
    with pytest.raises(InputError, match=r"t10k-labels.*--mnist DIR") as caught:
        load_mnist(published)
    assert "\n" not in str(caught.value)


def corrupt(raw):
    return raw[:-1] + bytes([raw[-1] ^ 1])


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda packed: packed[:-9], "truncated"),
        (lambda packed: b"not gzip at all", "truncated or not gzip"),
        (lambda packed: gzip.compress(gzip.decompress(packed)[:-1]), "truncated or another file"),
        (lambda packed: gzip.compress(corrupt(gzip.decompress(packed))), "SHA-256"),
        (lambda packed: b"", "where"),
    ],
)
def test_a_damaged_file_is_refused(published, damage, said):
    path = published / "train-images.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(FileFormatError, match=said) as caught:
        load_mnist(published)
    assert str(path) in str(caught.value) and "--mnist DIR" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_raw_file_is_checked_too(tmp_path):
    raw = idx(np.arange(4).reshape(1, 2, 2))
    path = tmp_path / "images"
    path.write_bytes(raw)
    assert read_idx(path, described("images", raw)).tolist() == [[[0, 1], [2, 3]]]
    path.write_bytes(corrupt(raw))
    with pytest.raises(FileFormatError, match="SHA-256"):
        read_idx(path, described("images", raw))


def test_the_next_mirror_serves_where_one_fails(published, tmp_path):
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "t10k-images.gz").write_bytes(gzip.compress(b"something else"))
    mirrors = tuple(f"{folder.as_uri()}/" for folder in (tmp_path / "none", bad, published))
    cache = tmp_path / "cache"
    path = ensure_cached(mnist.FILES[2], cache, mirrors)
    assert path.read_bytes() == (published / "t10k-images.gz").read_bytes()
    assert [p.name for p in cache.iterdir()] == ["t10k-images.gz"]
    assert ensure_cached(mnist.FILES[2], cache, ()) == path, "the second time needs no mirror"


def test_a_bad_file_in_the_cache_is_fetched_again(published, tmp_path):
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "t10k-images.gz").write_bytes(b"half a file")
    path = ensure_cached(mnist.FILES[2], cache, (f"{published.as_uri()}/",))
    assert path.read_bytes() == (published / "t10k-images.gz").read_bytes()


def test_without_network_the_error_says_what_to_do(published, tmp_path):
    mirrors = (f"{(tmp_path / 'none').as_uri()}/",)
    with pytest.raises(InputError, match=r"cannot download .*--mnist DIR") as caught:
        ensure_cached(mnist.FILES[0], tmp_path / "cache", mirrors)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "cache").exists()
    with pytest.raises(InputError, match="cannot download"):
        load_mnist()
