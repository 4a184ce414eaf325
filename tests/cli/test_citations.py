"""What `cite` prints."""

import re

import pytest

import milpcount
from milpcount import citations


def test_keys_are_unique():
    keys = [c.key for c in citations.find()]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("citation", citations.find(), ids=lambda c: c.key)
def test_entries_are_well_formed(citation):
    text = citation.bibtex()
    assert text.count("{") == text.count("}")
    assert re.match(rf"@[a-z]+{{{citation.key},\n", text)
    assert {"author", "title", "year"} <= set(citation.fields)


def test_the_tool_states_its_version():
    assert citations.TOOL.fields["version"] == milpcount.__version__


@pytest.mark.parametrize("name", ["tool", "tree", "pool", "serra2018", "definitions"])
def test_names_that_are_found(invoke, name):
    done = invoke("cite", name)
    assert done.exit_code == 0 and done.stdout.startswith("@")


def test_everything_without_a_name(invoke):
    assert invoke("cite").stdout.count("\n@") == len(citations.PAPERS)


def test_a_name_that_is_not_there_lists_those_that_are(invoke):
    done = invoke("cite", "nobody")
    assert done.exit_code == 2 and "serra2018" in done.stderr
