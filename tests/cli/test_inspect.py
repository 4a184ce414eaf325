"""What `inspect` says."""

import json

import pytest

from milpcount import examples


@pytest.fixture
def constant(tmp_path):
    """A file with three constant units and two that are not."""
    path = tmp_path / "constant.npz"
    (example,) = (e for e in examples.library() if e.name == "constant units")
    example.network.save(path)
    return path, example.network


def test_without_a_domain_the_layers(invoke, constant):
    path, network = constant
    done = invoke("inspect", path)
    assert done.exit_code == 0
    assert network.fingerprint in done.stdout and "stably" not in done.stdout


def test_over_a_box_ranges_and_stable_units(invoke, constant):
    path, _ = constant
    record = json.loads(invoke("inspect", path, "--box", -1, 1, "--json").stdout)
    (layer,) = record["layers"]
    assert (layer["units"], layer["stably_active"]) == (5, 1)
    # The unit that is exactly zero may or may not be seen to be so by rounded intervals.
    assert layer["stably_inactive"] in (1, 2)
    assert layer["pre_activations"] == [pytest.approx(-1), pytest.approx(1)]
    # Stable units make no regions: two or three lines are left, and 16 is what five would make.
    assert record["upper_bound"] in ("4", "7")


def test_over_a_box_the_table(invoke, tent):
    shown = invoke("inspect", tent, "--box", 0, 1).stdout
    assert "stably active" in shown and "pre-activations" in shown
    assert "upper bound" in shown


def test_all_of_space_has_no_ranges(invoke, tent):
    done = invoke("inspect", tent, "--unbounded")
    assert done.exit_code == 0 and "stably" not in done.stdout


def test_tighter_ranges(invoke, tent):
    loose, tight = (
        json.loads(invoke("inspect", tent, "--box", 0, 1, "--tighten", t, "--json").stdout)
        for t in ("interval", "milp")
    )
    assert loose["layers"][2]["pre_activations"][1] > tight["layers"][2]["pre_activations"][1]


def test_ranges_need_a_domain(invoke, tent):
    done = invoke("inspect", tent, "--tighten", "lp")
    assert done.exit_code == 2 and "no domain" in done.stderr


def test_one_of_several_outputs(invoke, tmp_path):
    onnx = pytest.importorskip("onnx")
    helper, real = onnx.helper, onnx.TensorProto.DOUBLE
    nodes = [helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Neg", ["y"], ["z"])]
    x, y, z = (helper.make_tensor_value_info(name, real, [1, 3]) for name in "xyz")
    path = tmp_path / "two.onnx"
    opsets = [helper.make_opsetid("", 13)]
    graph = helper.make_graph(nodes, "two", [x], [y, z])
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(path))
    refused = invoke("inspect", path)
    assert refused.exit_code == 2 and "outputs ['y', 'z']" in " ".join(refused.stderr.split())
    done = invoke("inspect", path, "--output-name", "z")
    assert done.exit_code == 0 and "3-3-3" in done.stdout
    bound = invoke("bound", "3-3-3", "--output-name", "z")
    assert bound.exit_code == 2 and "needs a network file" in " ".join(bound.stderr.split())
    figure = tmp_path / "plane.svg"
    arguments = ("plot", "partition", path, "--box", -1, 1, "-o", figure)
    assert invoke(*arguments, "--output-name", "w").exit_code == 2
    assert invoke("plot", "bounds", path, "-o", figure, "--output-name", "z").exit_code == 2
