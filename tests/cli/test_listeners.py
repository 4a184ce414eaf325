"""`mc.progress`: what it shows where, and what it hands to a callback."""

import io
import sys
import types

import pytest

import milpcount as mc
from milpcount.errors import NotInstalledError, OptionError
from milpcount.events import Finished, Notice, Progress, Started, Waiting
from milpcount.listeners import picture
from milpcount.result import Guarantee

NET = mc.Network.from_arrays([[[1.0], [-1.0]]], [[0.0, 0.0]], output=False)
RESULT = mc.CountResult(
    mc.Quantity.ACTIVATION_REGIONS, 3, 3, mc.Status.COMPLETE,
    Guarantee.CERTIFIED, {"name": "tree"}, 0.5,
)  # fmt: skip
RUN = [
    Started("a <title>"), Notice("compiling"), Waiting("compiling", 2.0),
    Progress(5, 9, 0.25, 3.0, upper=20), Finished(RESULT),
]  # fmt: skip


def test_a_callback_has_the_states_alone():
    seen: list[Progress] = []
    listen = mc.progress(seen.append)
    for event in RUN:
        listen(event)
    assert seen == [RUN[3]]


def test_a_count_calls_it():
    seen: list[Progress] = []
    result = mc.count(NET, mc.Box(-1, 1), listener=mc.progress(seen.append))
    assert result.lower == 2 and all(one.regions <= 2 for one in seen)


def test_lines_and_the_place_by_itself():
    stream = io.StringIO()
    mc.count(NET, mc.Box(-1, 1), listener=mc.progress(stream=stream))
    assert stream.getvalue().startswith("milpcount: 1-2 (relu)")


def test_a_terminal_is_left_as_it_was():
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    listen = mc.progress(stream=stream)
    for _ in range(2):  # the same listener again
        for event in RUN:
            listen(event)
    written = stream.getvalue()
    assert written.count("a <title>") == 2
    assert written.count("\x1b[?25l") == written.count("\x1b[?25h") == 2  # the cursor comes back
    listen(Started("one that fails"))
    listen(Started("the next"))
    listen(Finished(RESULT))
    written = stream.getvalue()
    assert written.count("\x1b[?25l") == written.count("\x1b[?25h") == 4


@pytest.fixture
def notebook(monkeypatch):
    """A stand-in for IPython's display, which shows and updates."""
    shown: list[str] = []

    class Handle:
        def update(self, html: str) -> None:
            shown[-1] = html

    def display(html: str, display_id: bool) -> Handle:
        shown.append(html)
        return Handle()

    module = types.ModuleType("IPython")
    module.display = types.ModuleType("IPython.display")
    module.display.HTML, module.display.display = str, display
    module.get_ipython = lambda: types.SimpleNamespace(kernel=None)
    monkeypatch.setitem(sys.modules, "IPython", module)
    monkeypatch.setitem(sys.modules, "IPython.display", module.display)
    return shown


def test_a_notebook_has_one_picture_for_each_count(notebook):
    listen = mc.progress()
    for _ in range(2):
        for event in RUN:
            listen(event)
    assert len(notebook) == 2
    assert "a &lt;title&gt;" in notebook[0] and "value='1.0000'" in notebook[0]
    assert "3   exact" in notebook[0] and "compiling" in notebook[0]


def test_a_share_that_is_not_known_has_no_value():
    assert "value" not in picture("title", None, "text", 1.0)


def test_what_is_not_known_is_refused(monkeypatch):
    with pytest.raises(OptionError, match="give one of auto, terminal, notebook, lines"):
        mc.progress("bar")
    monkeypatch.setitem(sys.modules, "IPython", None)
    with pytest.raises(NotInstalledError, match="ipython"):
        mc.progress("notebook")
