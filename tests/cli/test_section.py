"""Lines and planes from the command line."""

import json

import numpy as np
import pytest

NET = "example:mnist-784-2-20.npz"


@pytest.fixture
def points(tmp_path):
    """Three points in files; along the first segment the example has several regions."""
    random, names = np.random.default_rng(0), []
    for name in "abc":
        path = tmp_path / f"{name}.npy"
        np.save(path, 3 * random.random((28, 28)))
        names.append(str(path))
    return names


def test_a_line_a_path_and_a_plane(invoke, points, tmp_path):
    import milpcount as mc

    net = mc.Network.load(NET)
    a, b, c = (np.load(path) for path in points)
    line = ["section", NET, "--from", points[0], "--to", points[1]]
    said = json.loads(invoke(*line, "--json").stdout)
    assert said["lower"] == said["upper"] == str(mc.count(net, mc.Segment(a, b)).lower)
    path = json.loads(invoke(*line, "--to", points[2], "--json").stdout)
    right = mc.count(net, mc.Polyline([a, b, c]))
    assert path["lower"] == str(right.lower)
    assert path["details"]["transitions"] == right.details["transitions"]
    target = tmp_path / "plane.png"
    options = ["--plane", "--window", "-1", "2", "--json"]
    plane = json.loads(invoke(*line, "--to", points[2], *options).stdout)
    window = mc.Plane.through(a, b, c, mc.Box(-1, 2))
    assert plane["lower"] == str(mc.count(net, window, mc.RegionTree()).lower)
    pytest.importorskip("matplotlib")
    invoke(*line, "--to", points[2], "--plane", "-o", str(target))
    assert target.stat().st_size > 5_000


def test_refusals(invoke, points, tmp_path):
    line = ["section", NET, "--from", points[0], "--to", points[1]]
    text = tmp_path / "text.npy"
    text.write_text("no numbers")
    for options, said in (
        ([*line, "--plane"], "three points"),
        ([*line, "--window", "0", "1"], "belongs to --plane"),
        (["section", NET, "--from", points[0], "--to", str(text)], "not a .npy file"),
    ):
        refused = invoke(*options)
        assert refused.exit_code == 2 and said in refused.stderr
