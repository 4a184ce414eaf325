"""The options that name a domain."""

import json

import pytest

FILES = {
    "--box-file": ("box.json", json.dumps({"lower": [-2.0], "upper": [3.0]})),
    "--vnnlib": (
        "box.vnnlib",
        "(declare-const X_0 Real)\n(declare-const Y_0 Real)\n"
        "(assert (>= X_0 -2.0))\n(assert (<= X_0 3.0))\n(assert (>= Y_0 0.0))\n",
    ),
    "--section": (
        "section.json",
        json.dumps({"p0": [0.0], "directions": [[1.0]], "box": [[-2.0, 3.0]]}),
    ),
}


def test_without_a_domain_the_error_lists_the_options(invoke, tent):
    done = invoke("count", tent)
    assert done.exit_code == 2
    for option in ("--box LO HI", "--box-file", "--vnnlib", "--section", "--unbounded"):
        assert option in done.stderr
    assert "--header-box" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_nnet_file_also_offers_its_header(invoke):
    assert "--header-box" in invoke("count", "x.nnet").stderr


def test_two_domains_exclude_each_other(invoke, tent):
    done = invoke("count", tent, "--box", 0, 1, "--unbounded")
    assert done.exit_code == 2
    assert "--box and --unbounded exclude each other" in done.stderr


def test_header_box_belongs_to_nnet(invoke, tent):
    done = invoke("count", tent, "--header-box")
    assert done.exit_code == 2 and "only .nnet files have" in done.stderr


def test_reversed_box(invoke, scripted, tent):
    scripted()
    done = invoke("count", tent, "--box", 1, 0)
    assert done.exit_code == 2
    assert "reversed at input 0: [1.0, 0.0]" in done.stderr


@pytest.mark.parametrize("arguments", [("--box", "0"), ("--box", "0", "x"), ("--bax", "0", "1")])
def test_usage_errors_exit_2(invoke, tent, arguments):
    done = invoke("count", tent, *arguments)
    assert done.exit_code == 2 and "Traceback" not in done.stderr


def test_unbounded(invoke, scripted, tent):
    method = scripted()
    assert invoke("count", tent, "--unbounded").exit_code == 0
    assert not method.seen[0].inputs.is_boxed


@pytest.mark.parametrize("option", FILES)
def test_domain_files(invoke, scripted, tent, tmp_path, option):
    method = scripted()
    name, text = FILES[option]
    path = tmp_path / name
    path.write_text(text)
    outputs = ["--vnnlib-inputs-only"] if option == "--vnnlib" else []
    done = invoke("count", tent, option, path, *outputs)
    assert done.exit_code == 0, done.stderr
    inputs = method.seen[0].inputs
    ends = inputs.to_inputs(inputs.lower[None]), inputs.to_inputs(inputs.upper[None])
    assert (ends[0].item(), ends[1].item()) == (-2.0, 3.0)


@pytest.mark.parametrize("option", FILES)
def test_domain_file_that_is_not_there(invoke, scripted, tent, option):
    scripted()
    done = invoke("count", tent, option, "nowhere.json")
    assert done.exit_code == 2
    assert "nowhere.json" in done.stderr and done.stderr.count("\n") == 1
