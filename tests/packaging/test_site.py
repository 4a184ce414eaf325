"""What the site adds to the pages: tables from the registries, scripts, notebooks; the links."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.check_site import faults
from milpcount.backends import registry
from milpcount.bounds.registry import THEOREMS

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def hooks():
    spec = importlib.util.spec_from_file_location("hooks", ROOT / "docs" / "hooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_theorem_has_its_row_reference_and_note(hooks):
    text = hooks.theorems()
    for row in THEOREMS:
        assert text.count(f"| `{row.key}` |") == 1
        assert f'<a id="{row.citation}">' in text
    assert text.count("counterexample to the print") == sum(
        bool(r.counterexample) for r in THEOREMS
    )


def test_every_backend_has_its_row(hooks):
    assert hooks.backends().count("\n| `") == len(registry.BACKENDS)


def test_cells_cannot_break_a_table(hooks):
    assert hooks.table(("a",), [("x | y\nz",)]) == "| a |\n| --- |\n| x \\| y z |"


def test_links_out_of_the_pages_become_names(hooks):
    page = ROOT / "docs" / "claims.md"
    said = hooks.inside("see [it](../experiments/README.md#a), [here](bounds.md)", page)
    assert said == "see it (`experiments/README.md` in the sources), [here](bounds.md)"


def test_marks_are_filled(hooks):
    for name in hooks.GENERATED:
        mark = f"<!-- generated: {name} -->"
        assert sum(mark in p.read_text("utf-8") for p in (ROOT / "docs").glob("*.md")) == 1
        assert mark not in hooks.filled(mark)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_kept_without_outputs_and_become_pages(hooks, path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    for cell in cells:
        if cell["cell_type"] == "code":
            compile("".join(cell["source"]), path.name, "exec")
            assert cell["outputs"] == [] and cell["execution_count"] is None
    page = hooks.notebook(path)
    assert page.startswith("# ") and page.count("```python") == sum(
        cell["cell_type"] == "code" for cell in cells
    )


def test_dead_links_are_found(tmp_path):
    (tmp_path / "a.html").write_text(
        "<h1 id='x'></h1><a href='b.html'>1</a><a href='#y'>2</a><a href='#x'>3</a>"
        "<a href='https://elsewhere.example'>4</a><script src='https://elsewhere.example/a.js'>"
    )
    found = list(faults(tmp_path))
    assert len(found) == 3
    assert "loads https" in found[0] and "b.html is not there" in found[1] and "#y" in found[2]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_site_is_built_without_a_warning(tmp_path):
    pytest.importorskip("mkdocs", reason="mkdocs is not installed: pip install '.[docs]'")
    pytest.importorskip("mkdocstrings", reason="mkdocstrings is not installed")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert list(faults(tmp_path / "site")) == []
