"""The page of a partition: complete, self-contained, and alive in a browser."""

import json
import re
import shutil
import subprocess

import pytest

import milpcount as mc
from milpcount.errors import DomainError, InputError
from milpcount.plots import function
from milpcount.plots.partition_page import page

NET = mc.Network.from_arrays([[[1, 0], [-1, 0], [0, 1]], [[1, 1, 1]]], [[0, 0, 0], [0]])
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def test_the_page_holds_every_region():
    text = page(NET, mc.Box(-1, 1), "linear_region")
    assert len(re.findall("<polygon ", text)) == 4
    (numbers,) = re.findall(r"id='regions'>(.*?)</script>", text, re.S)
    records = json.loads(numbers)
    assert {r["pattern"] for r in records} == {"100", "101", "010", "011"}
    assert all(len(r["A"]) == len(r["b"]) == len(r["units"]) == 4 for r in records)
    assert sorted(tuple(r["C"][0]) for r in records) == [(-1, 0), (-1, 1), (1, 0), (1, 1)]
    assert "http" not in text  # nothing comes from elsewhere
    with pytest.raises(DomainError, match="plane"):
        page(NET, mc.Unbounded())


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_pointing_at_a_region_shows_its_numbers(tmp_path):
    # the event that a mouse makes, on the region of (0.5, 0.5)
    part = mc.partition(NET, mc.Box(-1, 1))
    index = int(part.locate([0.5, 0.5]))
    point = (
        f"<script>document.querySelector('[data-region=\"{index}\"]')"
        ".dispatchEvent(new MouseEvent('mouseover', {bubbles: true}));</script></body>"
    )
    path = tmp_path / "page.html"
    path.write_text(page(NET, mc.Box(-1, 1)).replace("</body>", point))
    done = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/u",
         "--dump-dom", f"file://{path}"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    (shown,) = re.findall(r"<pre id=\"shown\">(.*?)</pre>", done.stdout, re.S)
    assert f"region {index}\npattern 101\n" in shown
    assert "y1 = + 1.00000 t1 + 1.00000 t2 + 0.00000" in shown


def test_a_function_over_a_line_and_a_plane():
    line = mc.Section([0, 0.5], [[1, 0]], mc.Box(-1, 1))
    (axes,) = function.draw(NET, line).axes
    curve, breaks = axes.get_lines()[:2]
    assert curve.get_xydata().tolist() == [[-1, 1.5], [0, 0.5], [0, 0.5], [1, 1.5]]
    assert breaks.get_xydata().tolist() == [[0, 0.5]]
    (axes,) = function.draw(NET, mc.Box(-1, 1)).axes
    assert "4 activation regions, 4 linear" in axes.get_title()
    assert axes.get_zlim() == (0, 2)
    with pytest.raises(InputError, match="has 1, numbered from 0"):
        function.draw(NET, line, 1)
    with pytest.raises(DomainError, match="line or plane"):
        function.draw(NET, mc.Unbounded())
