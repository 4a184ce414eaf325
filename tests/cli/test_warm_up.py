"""Compiling beforehand, from the shell."""


def test_it_says_that_all_is_ready(invoke):
    result = invoke("warm-up", "tree", "--quiet")
    assert result.exit_code == 0
    assert result.stdout.startswith("ready after ") and result.stderr == ""


def test_a_method_without_a_kernel_is_refused(invoke):
    result = invoke("warm-up", "pool")
    assert result.exit_code == 2
    assert "tree, mbound, probe" in result.stderr
