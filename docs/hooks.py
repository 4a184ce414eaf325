"""What the site adds to the pages: tables from the registries, scripts and notebooks as pages.

mkdocs calls the functions ``on_..``; the others are plain functions from text to text.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
RESULTS = "experiments/results/figures"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table."""
    lines = [list(head)]
    lines += [["---"] * len(lines[0]), *(list(row) for row in rows)]
    return "\n".join(f"| {' | '.join(_cell(text) for text in line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _plain(text: str) -> str:
    """Return text with what Markdown would take for marks escaped."""
    return re.sub(r"([*_<>\[\]`])", r"\\\1", text)


def theorems() -> str:
    """Return every row of the registry: a table for each family, then references."""
    from milpcount.bounds.registry import THEOREMS, families

    parts = [f"{len(THEOREMS)} rows in {len(families())} families."]
    for family in families():
        rows = [row for row in THEOREMS if row.family == family]
        parts.append(f"## Family `{family}`")
        parts.append(
            table(
                ("key", "theorem", "what it is", "of", "applies to", "standing", "reference"),
                (_theorem(row) for row in rows),
            )
        )
        notes = [f"* `{row.key}`: {_notes(row)}" for row in rows if _notes(row)]
        if notes:
            parts += ["Notes of the audit:", "\n".join(notes)]
    return "\n\n".join([*parts, "## References", references()])


def _theorem(row: Any) -> list[str]:
    what = f"{row.direction.value}, {row.quantity.title}"
    reference = f"[{row.citation}](#{row.citation})"
    standing = row.standing.name.lower()
    return [f"`{row.key}`", _plain(row.title), what, row.subject.value, _plain(row.applies),
            standing, reference]  # fmt: skip


def _notes(row: Any) -> str:
    parts = [row.note, f"counterexample to the print: {row.counterexample}"]
    return _plain("; ".join(parts if row.counterexample else parts[:1]))


def references() -> str:
    """Return the papers that rows of the registry name, each with an anchor."""
    from milpcount.bounds.registry import THEOREMS
    from milpcount.citations import PAPERS, TOOL

    used = {row.citation for row in THEOREMS}
    return "\n".join(
        f'* <a id="{paper.key}"></a>**{paper.key}**: {_reference(paper.fields)}'
        for paper in sorted((TOOL, *PAPERS), key=lambda paper: paper.key)
        if paper.key in used
    )


def _reference(fields: dict[str, str]) -> str:
    where = next((fields[k] for k in ("journal", "booktitle", "publisher") if k in fields), "")
    parts = [fields.get("author", ""), f"*{fields['title']}*", where, fields.get("year", "")]
    numbers = {"volume": "vol. {}", "pages": "pp. {}", "eprint": "arXiv {}"}
    parts[3:3] = [text.format(fields[k]) for k, text in numbers.items() if k in fields]
    return re.sub(r"[{}]", "", ", ".join(part for part in parts if part))


def backends() -> str:
    """Return the backends as a table: package, licence of use, modes, what each can do."""
    from milpcount.backends.backend import Capability
    from milpcount.backends.registry import BACKENDS

    rows = []
    for entry in BACKENDS:
        loaded = entry.load()
        can = [one.value for one in Capability if one in loaded.capabilities]
        modes = ", ".join(f"`{mode}`" for mode in loaded.modes)
        rows.append(
            [f"`{entry.name}`", f"`{entry.package}`", f"`{entry.install}`", modes, "; ".join(can)]
        )
    return table(("`--backend`", "package", "installed by", "modes", "what it can do"), rows)


def gallery() -> str:
    """Return every script of the gallery with its figures."""
    parts = []
    for script in scripts():
        text = script.read_text(encoding="utf-8")
        title = text.split('"""')[1].splitlines()[0].removesuffix(".")
        figures = sorted(
            path
            for form in ("svg", "png")
            for path in script.parent.glob(f"{script.stem}-*.{form}")
        )
        shown = "\n".join(f"![{_alt(path)}](gallery/{path.name})" for path in figures)
        parts.append(f"## {title}\n\n{shown}\n\n??? \"`docs/gallery/{script.name}`\"\n\n"
                     + _indented(f"```{{.python}}\n{text}```"))  # fmt: skip
    return "\n\n".join(parts)


def scripts() -> list[Path]:
    """Return the scripts of the gallery."""
    return sorted((DOCS / "gallery").glob("[!_]*.py"))


def _alt(path: Path) -> str:
    return path.stem.replace("-", " ")


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.splitlines())


def notebook(path: Path) -> str:
    """Return a notebook as a page: its text, and its code as blocks."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    parts = []
    for cell in cells:
        source = "".join(cell["source"])
        is_text = cell["cell_type"] == "markdown"
        parts.append(source if is_text else f"```python\n{source}\n```")
    link = f"[Download this notebook]({path.name})"
    return "\n\n".join([*parts[:1], link, *parts[1:]]) + "\n"


def inside(text: str, page: Path) -> str:
    """Return the text with links that leave docs/ as plain names of files in the sources."""

    def replaced(match: re.Match[str]) -> str:
        target = (page.parent / match[2].partition("#")[0]).resolve()
        if target.is_relative_to(DOCS) or not target.exists():
            return match[0]
        return f"{match[1]} (`{target.relative_to(ROOT)}` in the sources)"

    text = text.replace(f"](../{RESULTS}/", "](results/")
    return re.sub(r"(?<!!)\[([^\]]*)\]\((\.\./[^)]*)\)", replaced, text)


def results() -> list[Path]:
    """Return the figures of the experiments that pages show."""
    pages = "".join(path.read_text(encoding="utf-8") for path in DOCS.glob("*.md"))
    names = set(re.findall(rf"\]\(\.\./{RESULTS}/([^)]+)\)", pages))
    return [ROOT / RESULTS / name for name in sorted(names)]


GENERATED = {"theorems": theorems, "backends": backends, "gallery": gallery}


def filled(text: str) -> str:
    """Return the text with what is generated in place of its marks."""
    for name, made in GENERATED.items():
        mark = f"<!-- generated: {name} -->"
        if mark in text:
            text = text.replace(mark, made())
    return text


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Fill in what is generated."""
    return filled(inside(markdown, DOCS / page.file.src_uri))


def on_files(files: Any, config: Any) -> Any:
    """Add a page for each notebook, and the figures of the experiments."""
    from mkdocs.structure.files import File

    for path in sorted((DOCS / "notebooks").glob("*.ipynb")):
        uri = f"notebooks/{path.stem}.md"
        files.append(File.generated(config, uri, content=notebook(path)))
    for path in results():
        files.append(File.generated(config, f"results/{path.name}", abs_src_path=str(path)))
    return files
