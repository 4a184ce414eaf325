"""MBound from the command line."""

import json

import pytest

import milpcount as mc

MBOUND = ("--box", 0, 1, "--method", "mbound")


def test_options_reach_the_method_and_the_result(invoke, tent):
    done = invoke(
        "count", tent, *MBOUND, "--xor-size", "dense", "--runs", 12, "--confidence", 0.99,
        "--backend", "highs", "--seed", 7, "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    record = json.loads(done.stdout)
    method = mc.MBound("dense", 12, 0.99, "highs")
    assert record["method"] == {"name": "mbound", **method.options()}
    assert record["confidence"] == 0.99 and record["seed"] == 7
    assert record["guarantee"] == "probabilistic" and record["status"] == "sampled"
    # 8 regions; 12 runs at 99 % would fail once in 100 seeds, and this is one seed.
    assert 1 <= int(record["lower"]) <= 8


def test_people_read_what_the_bound_rests_on(invoke, tent):
    done = invoke("count", tent, *MBOUND, "--xor-size", 3, "--hybrid", 4)
    assert done.exit_code == 0, done.stderr
    assert "finished: what it says holds with the stated confidence" in done.stdout
    assert "0.95, of the lower bound, by XOR hashing" in done.stdout
    assert "xor_size=3" in done.stdout and "hybrid=4" in done.stdout


@pytest.mark.parametrize(
    ("options", "what_would_do"),
    [
        (("--runs", 4), "give runs=5 or more"),
        (("--confidence", 1.5), "give a number between 0 and 1"),
        (("--xor-size", "long"), "an integer of at least 1"),
        (("--xor-size", 0), "an integer of at least 1"),
        (("--backend", "abacus"), "give one of: tree, highs"),
        (("--mode", "one_tree"), "--mode belongs to --method pool"),
    ],
)
def test_wrong_options_are_one_line_and_exit_code_2(invoke, tent, options, what_would_do):
    done = invoke("count", tent, *MBOUND, *options)
    assert done.exit_code == 2 and done.stdout == ""
    assert what_would_do in done.stderr and "Traceback" not in done.stderr


def test_its_options_belong_to_no_other_method(invoke, tent):
    done = invoke("count", tent, "--box", 0, 1, "--runs", 9)
    assert done.exit_code == 2 and "--runs belongs to --method mbound" in done.stderr
