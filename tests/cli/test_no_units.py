"""A file with an affine map and nothing else, in every command that takes a network."""

import numpy as np

from milpcount.network import Network


def test_an_affine_map(tmp_path, invoke):
    path, kept = tmp_path / "affine.npz", tmp_path / "kept.npz"
    Network.from_arrays([[[1.0, 2.0]]], [[3.0]]).save(path)
    box = ("--box", -1, 1)
    assert "1   exact" in invoke("count", path, *box, "--keep", kept).stdout
    with np.load(kept) as regions:
        assert regions["patterns"].shape == (1, 0) and regions["witnesses"].shape == (1, 2)
    assert "affine, no units" in invoke("inspect", path, *box).stdout
    assert "[naive]" in invoke("bound", path).stdout
    for command in (("plot", "partition", path, *box, "-o", tmp_path / "plane.svg"),
                    ("compare", path, *box)):  # fmt: skip
        assert invoke(*command).exit_code == 0
