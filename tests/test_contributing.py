"""The recipes of CONTRIBUTING.md, each applied to a copy of the package and run."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from milpcount import examples

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
RECIPES = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S))


def blocks(recipe: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", RECIPES[recipe], re.M | re.S)


def apply(diff: str, folder: Path) -> None:
    """Apply a diff whose hunks have no line numbers: what they replace is there once."""
    for old, new, body in re.findall(
        r"^--- (\S+)\n\+\+\+ b/(\S+)\n(.*?)(?=^--- |\Z)", diff, re.M | re.S
    ):
        for hunk in re.split(r"^@@\n", body, flags=re.M):
            lines = hunk.splitlines()
            after = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "-")
            if old == "/dev/null":
                (folder / new).write_text(after)
                continue
            before = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "+")
            text = (folder / new).read_text()
            assert text.count(before) == 1, (new, before)
            (folder / new).write_text(text.replace(before, after))


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_is_complete(recipe: str, tmp_path: Path) -> None:
    shutil.copytree(
        ROOT / "milpcount", tmp_path / "milpcount", ignore=shutil.ignore_patterns("__pycache__")
    )
    examples.tent(3).save(tmp_path / "tent.npz")
    [diff] = blocks(recipe, "diff")
    apply(diff, tmp_path)
    commands = [[sys.executable, "-c", code] for code in blocks(recipe, "python")]
    for block in blocks(recipe, "console"):
        for line in block.splitlines():
            program, *words = line.removeprefix("$ ").split()
            assert program == "milpcount"
            commands.append([sys.executable, "-m", "milpcount", *words])
    assert commands
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    for command in commands:
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode in (0, 3), done.stderr


def test_what_can_be_added_has_its_recipe() -> None:
    assert list(RECIPES) == [
        "A theorem", "A method", "A backend", "A reader", "An activation", "A quantity",
    ]  # fmt: skip
