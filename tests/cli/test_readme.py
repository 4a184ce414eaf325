"""The README's Python runs and prints what it says; its commands exist."""

import contextlib
import io
import re
from pathlib import Path

import pytest

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```(?:\n+```text\n(.*?)```)?", README, re.DOTALL)
COMMANDS = re.findall(r"^\$ milpcount (\w+)(.*?)(?:#.*)?$", README, re.MULTILINE)


@pytest.mark.parametrize(("code", "printed"), BLOCKS)
def test_python(code, printed):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "README.md", "exec"), {})
    assert out.getvalue() == printed


@pytest.mark.parametrize(("command", "arguments"), COMMANDS)
def test_commands_and_options_exist(invoke, command, arguments):
    done = invoke(command, "--help")
    assert done.exit_code == 0
    shown = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    for option in re.findall(r"--[a-z-]+", arguments):
        assert option in shown


def test_paths_exist():
    root = Path(__file__).resolve().parents[2]
    for path in re.findall(r"(?:milpcount|experiments|data)/[\w./-]*\w(?:/|\.py|\.npz)", README):
        assert (root / path).exists(), path
