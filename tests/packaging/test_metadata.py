"""What is told to others about a release is one and the same everywhere."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

import milpcount
from experiments import lowest
from milpcount import citations
from milpcount.result import versions

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_version_stands_in_one_place():
    assert "version" in PROJECT["project"]["dynamic"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "milpcount/__init__.py"
    newest = re.search(r"^## (\S+)", text("CHANGELOG.md"), re.M)
    cited = re.search(r"^version: (\S+)$", text("CITATION.cff"), re.M)
    assert newest[1] == cited[1] == milpcount.__version__
    assert citations.TOOL.fields["version"] == versions()["milpcount"] == milpcount.__version__


def test_dates_agree():
    released = re.search(r"^date-released: (\S+)$", text("CITATION.cff"), re.M)[1]
    assert f"## {milpcount.__version__} ({released})" in text("CHANGELOG.md")


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "CITATION.cff", "pyproject.toml"])
def test_no_index_is_named(name):
    assert not re.search(r"pypi|npmjs|conda\.anaconda", text(name), re.I)


def test_every_dependency_has_a_lowest_version():
    extras = PROJECT["project"]["optional-dependencies"]
    named = {line.partition("==")[0] for line in lowest.constraints()}
    for requirement in [
        *PROJECT["project"]["dependencies"],
        *(one for name, many in extras.items() if name not in lowest.TOOLS for one in many),
    ]:
        name = re.match(r"[\w.-]+", requirement)[0]
        assert name in named or name == "milpcount", requirement


def test_the_lowest_version_is_the_bound():
    found = lowest.lowest(["a>=1.2", "b[c]>=3,<4", "d==5.1", "e", "milpcount[x]"])
    assert found == ["a==1.2.*", "b==3.0.*", "d==5.1.*"]


def test_every_extra_is_on_the_page_of_platforms():
    page = text("docs/platforms.md")
    for extra in PROJECT["project"]["optional-dependencies"]:
        assert f"`{extra}`" in page, extra


@pytest.fixture
def hook():
    pytest.importorskip("hatchling", reason="hatchling is not installed: pip install '.[dev]'")
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LINKED = "[a](docs/a.md#b) ![f](x/f.png) [c](https://c.example) [d](#d)\n```py\nx[0](y)\n```\n"


def test_links_lead_under_the_address(hook):
    assert hook.readme(LINKED, "https://h.example/t/", "https://r.example") == (
        "[a](https://h.example/t/docs/a.md#b) ![f](https://r.example/x/f.png) "
        "[c](https://c.example) [d](#d)\n```py\nx[0](y)\n```\n"
    )
    assert "![f](https://h.example/x/f.png)" in hook.readme(LINKED, "https://h.example")


def test_links_without_an_address_are_their_text(hook):
    shown = hook.readme(LINKED)
    assert shown.startswith("a  [c](https://c.example) [d](#d)\n```py\nx[0](y)\n```\n")
    assert "`docs/` of the sources" in shown


def test_no_link_of_the_readme_stays_relative(hook):
    for files in ("", "https://h.example"):
        links = hook.LINK.findall(hook.readme(text("README.md"), files))
        assert all(re.match("https://|#", target) for _, _, target in links)
        assert len(links) == (len(hook.LINK.findall(text("README.md"))) if files else 0)


def test_urls_name_files_that_exist(hook):
    assert all((ROOT / path).exists() for path in hook.URLS.values())
