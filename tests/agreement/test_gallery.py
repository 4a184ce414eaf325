"""Every script of the gallery makes its figures, those that the pages show and no others."""

import runpy
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")
FOLDER = Path(__file__).resolve().parents[2] / "docs" / "gallery"
SCRIPTS = sorted(FOLDER.glob("*.py"))
NEEDS = {"training": "torch"}


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_makes_its_figures(script: Path, tmp_path: Path) -> None:
    if script.stem in NEEDS:
        pytest.importorskip(NEEDS[script.stem])
    runpy.run_path(str(script))["main"](tmp_path)
    made = {path.name for path in tmp_path.iterdir()}
    kept = {path.name for path in FOLDER.glob(f"{script.stem}-*") if path.suffix != ".py"}
    assert made == kept and made
    assert all(path.stat().st_size > 1000 for path in tmp_path.iterdir())


def test_every_figure_has_its_script() -> None:
    stems = {script.stem for script in SCRIPTS}
    figures = [path for path in FOLDER.iterdir() if path.suffix in (".svg", ".png")]
    assert figures and all(path.name.partition("-")[0] in stems for path in figures)
    assert sum(path.stat().st_size for path in figures) < 2e6
