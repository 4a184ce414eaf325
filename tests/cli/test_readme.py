"""What the README and the pages of docs/ show is true: Python prints it, commands run.

All of it runs in an empty folder, as after `pip install milpcount`.
"""

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest

from milpcount.cli.group import COMPLETE, STOPPED

ROOT = Path(__file__).resolve().parents[2]
PAGES = {path.name: path for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}
PAGES["docs/README.md"] = PAGES["README.md"]
PAGES["README.md"] = ROOT / "README.md"
TEXTS = {name: path.read_text(encoding="utf-8") for name, path in PAGES.items()}
BLOCKS = [
    pytest.param(code, printed, id=f"{name}-{number}")
    for name, text in TEXTS.items()
    for number, (code, printed) in enumerate(
        re.findall(r"```python\n(.*?)```(?:\n+```text\n(.*?)```)?", text, re.DOTALL)
    )
]
LINES = {
    name: [shlex.split(line, comments=True) for line in re.findall(r"^\$ (.*)$", text, re.M)]
    for name, text in TEXTS.items()
}
LONG = ("selftest",)
"""Commands with a test of their own."""
OF_THE_SOURCES = ("make",)
"""What needs more than the installed package."""


@pytest.mark.parametrize(("code", "printed"), BLOCKS)
def test_python(code, printed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "README.md", "exec"), {})
    assert out.getvalue() == printed


@pytest.mark.parametrize("name", [name for name, lines in LINES.items() if lines])
def test_shell(name, invoke, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command, *arguments in LINES[name]:
        if command in OF_THE_SOURCES:
            continue
        if command == "echo":
            text, arrow, target = arguments
            assert arrow == ">"
            Path(target).write_text(text, encoding="utf-8")
            continue
        assert command == "milpcount"
        if arguments[0] in LONG:
            continue
        done = invoke(*arguments)
        if "which is not installed: pip install" in done.stderr:
            continue  # an extra
        allowed = {COMPLETE, STOPPED} if "--time" in arguments else {COMPLETE}
        assert done.exit_code in allowed, (arguments, done.stderr)
        assert done.stdout or list(tmp_path.iterdir())


def test_every_command_is_shown():
    from milpcount.cli import app

    everything = "\n".join(TEXTS.values())
    for command in app.registered_commands:
        name = command.name or command.callback.__name__
        assert name == "version" or f"milpcount {name}" in everything


@pytest.mark.parametrize("name", TEXTS)
def test_links_and_paths_exist(name):
    for link in re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", TEXTS[name]):
        assert (PAGES[name].parent / link).exists(), link
    pattern = r"(?:milpcount|experiments|data)/[\w./-]*\w(?:/|\.py|\.npz)"
    for path in re.findall(pattern, TEXTS[name]):
        assert (ROOT / path).exists(), path


def test_the_index_names_every_page():
    linked = re.findall(r"\((\w[\w-]*\.md)\)", TEXTS["docs/README.md"])
    assert sorted(linked) == sorted(
        path.name for path in (ROOT / "docs").glob("*.md") if path.name != "README.md"
    )
