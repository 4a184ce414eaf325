"""What the README and the pages of docs/ show is true: Python prints it, commands run.

All of it runs in an empty folder, as after `pip install milpcount`.
"""

import ast
import contextlib
import importlib
import io
import re
import shlex
from pathlib import Path

import pytest

from milpcount.cli.group import COMPLETE, STOPPED

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    path.relative_to(ROOT).as_posix(): path
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
}
TEXTS = {name: path.read_text(encoding="utf-8") for name, path in PAGES.items()}
FENCES = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LANGUAGES = {"python", "text", "console", "sh", "py", "matlab"}
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
EXTRAS = ("torch", "onnx", "pandas", "matplotlib", "sklearn", "pyarrow", "omlt")


@pytest.mark.parametrize(("code", "printed"), BLOCKS)
def test_python(code, printed, tmp_path, monkeypatch):
    for package in EXTRAS:
        if re.search(rf"^\s*(?:import|from) {package}\b", code, re.M):
            pytest.importorskip(package)
    if "interactive=True" in code:
        pytest.importorskip("plotly")
    monkeypatch.chdir(tmp_path)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "README.md", "exec"), {"__name__": "page"})
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
        # An extra, or a commercial solver whose licence has run out.
        if any(
            f"which {state}" in done.stderr for state in ("is not installed: pip", "does not do")
        ):
            continue
        allowed = {COMPLETE, STOPPED} if "--time" in arguments else {COMPLETE}
        assert done.exit_code in allowed, (arguments, done.stderr)
        assert done.stdout or list(tmp_path.iterdir())


@pytest.mark.parametrize("name", TEXTS)
def test_blocks_that_are_not_run_are_right_as_far_as_can_be_told(name):
    """Of Python that needs a cluster the names, of commands of the sources what they name."""
    for language, code in FENCES.findall(TEXTS[name]):
        assert language in LANGUAGES, f"a block of {language!r}: its kind is not tested"
        if language == "py":
            for node in ast.walk(ast.parse(code)):
                if isinstance(node, ast.ImportFrom) and str(node.module).startswith("milpcount"):
                    module = importlib.import_module(node.module)
                    names = [alias.name for alias in node.names]
                    for one in names:
                        if not hasattr(module, one):
                            importlib.import_module(f"{node.module}.{one}")
        elif language == "sh":
            for line in code.splitlines():
                words = shlex.split(line, comments=True)
                if words[:1] == ["make"]:
                    assert f"\n{words[1]}:" in (ROOT / "Makefile").read_text(encoding="utf-8")
                elif words[:2] == ["python", "-m"]:
                    importlib.import_module(words[2])
                else:
                    assert words[:2] in ([], ["pip", "install"]), line


def test_every_command_is_shown():
    from milpcount.cli import app

    everything = "\n".join(TEXTS.values())
    for command in app.registered_commands:
        name = command.name or command.callback.__name__
        assert name == "version" or f"milpcount {name}" in everything


@pytest.mark.parametrize("name", TEXTS)
def test_links_and_paths_exist(name):
    for link in re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", TEXTS[name]):
        target = PAGES[name].parent / link
        if target.parent.name == "notebooks":
            target = target.with_suffix(".ipynb")  # the site makes a page of it
        assert target.exists(), link
    pattern = r"(?<!/)\b(?:milpcount|experiments|data|docs)/[\w./-]*\w(?:/|\.py|\.npz)"
    for path in re.findall(pattern, TEXTS[name]):
        assert path == "docs/gallery/NAME.py" or (ROOT / path).exists(), path


def test_the_index_and_the_menu_name_every_page():
    linked = re.findall(r"\((\w[\w-]*\.md)(?:#[\w-]*)?\)", TEXTS["docs/README.md"])
    menu = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2]
    listed = re.findall(r": (\w[\w-]*\.md)$", menu, re.M)
    pages = {path.name for path in (ROOT / "docs").glob("*.md")}
    assert set(linked) == pages - {"README.md"}
    assert sorted(listed) == sorted(pages)


def test_the_readme_is_short():
    assert len(TEXTS["README.md"].splitlines()) <= 150
