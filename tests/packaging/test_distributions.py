"""Wheel and sdist, each installed alone into a fresh environment, do what the README says.

They take minutes and an index of packages: ``make test-dist``, or ``MILPCOUNT_DIST=1``. The wheel
is installed by every newer Python that is found, or that ``MILPCOUNT_PYTHONS`` lists (with colons).
"""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import milpcount

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(
        not os.environ.get("MILPCOUNT_DIST"), reason="set MILPCOUNT_DIST=1: minutes"
    ),
]
ROOT = Path(__file__).resolve().parents[2]
VERSION = milpcount.__version__


def pythons() -> list[str]:
    """Return this Python and the newer ones that run."""
    given = os.environ.get("MILPCOUNT_PYTHONS", "").split(os.pathsep)
    found = [*filter(None, given), *filter(None, map(shutil.which, ("python3.12", "python3.13")))]
    known = {sys.version_info[:2]: sys.executable}
    for python in found:
        asked = [python, "-c", "import sys; print(*sys.version_info[:2])"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            major, minor = map(int, done.stdout.split())
            known.setdefault((major, minor), python)
    return list(known.values())


CASES = [*(("wheel", python) for python in pythons()), ("sdist", sys.executable)]


def run(*command: object, cwd: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    pytest.importorskip("build", reason="the package build is not installed")
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT, cwd=folder)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return {"wheel": wheel, "sdist": sdist}


def test_what_they_hold(built: dict[str, Path]) -> None:
    assert built["wheel"].name == f"milpcount-{VERSION}-py3-none-any.whl"
    assert built["sdist"].name == f"milpcount-{VERSION}.tar.gz"
    names = zipfile.ZipFile(built["wheel"]).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"milpcount", f"milpcount-{VERSION}.dist-info"}
    assert "milpcount/py.typed" in names and "milpcount/proof/check.py" in names
    with tarfile.open(built["sdist"]) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    for name in (
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "CITATION.cff",
        "docs/start.md",
        "Makefile",
    ):
        assert name in inside, name
    assert max(path.stat().st_size for path in built.values()) < 8e6


@pytest.mark.parametrize("files", ["", "https://host.example/milpcount/blob/main/"])
def test_what_an_index_shows_has_no_dead_link(files: str, built: dict[str, Path], tmp_path: Path):
    wheel = built["wheel"]
    if files:  # one line of pyproject.toml makes every link absolute
        with tarfile.open(built["sdist"]) as archive:
            archive.extractall(tmp_path, filter="data")
        (source,) = tmp_path.iterdir()
        settings = (source / "pyproject.toml").read_text(encoding="utf-8")
        assert settings.count('\nfiles = ""') == 1
        settings = settings.replace('\nfiles = ""', f'\nfiles = "{files}"')
        (source / "pyproject.toml").write_text(settings, encoding="utf-8")
        run(sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path, source, cwd=tmp_path)
        (wheel,) = tmp_path.glob("*.whl")
    inside = zipfile.ZipFile(wheel)
    shown = inside.read(f"milpcount-{VERSION}.dist-info/METADATA").decode()
    links = re.findall(r"\]\(([^)\s]+)\)", shown)
    assert all(link.startswith("https://") for link in links), links
    assert len(links) > 20 or not files
    assert ("Project-URL: Documentation, https://host.example/" in shown) == bool(files)
    assert "Description-Content-Type: text/markdown" in shown and "# milpcount" in shown


@pytest.mark.parametrize(("kind", "base"), CASES, ids=lambda text: Path(text).name)
def test_a_fresh_environment(kind: str, base: str, built: dict[str, Path], tmp_path: Path) -> None:
    place = tmp_path / "environment"
    run(base, "-m", "venv", place, cwd=tmp_path)
    python = place / "bin" / "python"
    quiet = ("--quiet", "--disable-pip-version-check")
    run(python, "-m", "pip", "install", *quiet, built[kind], cwd=tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run(python, "-m", "milpcount", "version", cwd=empty).split() == ["milpcount", VERSION]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for code, printed in re.findall(r"```python\n(.*?)```\n+```text\n(.*?)```", readme, re.DOTALL):
        assert run(python, "-c", code, cwd=empty) == printed
    if kind == "wheel":
        assert "failed" not in run(python, "-m", "milpcount", "selftest", cwd=empty)
