"""Check a site offline: no dead link or anchor, and nothing loaded from elsewhere.

``python -m experiments.check_site build/site`` prints what is wrong; exit code 1 if anything is. It
needs Python alone.
"""

import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {("script", "src"), ("img", "src"), ("link", "href"), ("source", "src"), ("iframe", "src")}
NOT_FETCHED = ("canonical", "prev", "next", "alternate")
"""Relations of a link element that a browser does not load."""


class Page(HTMLParser):
    """What a page names: the targets of its links, what it loads, and its anchors."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of an element."""
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if given.get("rel", "") in NOT_FETCHED:
            return
        for name in ("href", "src"):
            if name in given:
                wanted = self.loads if (tag, name) in LOADED else self.links
                wanted.append(given[name])


def faults(site: Path) -> Iterator[str]:
    """Yield what is wrong with the pages below a folder, a line each."""
    pages = {path.resolve(): Page(path) for path in sorted(site.rglob("*.html"))}
    if not pages:
        yield f"{site}: there are no pages"
    for path, page in pages.items():
        where = path.relative_to(site.resolve())
        if path.name == "404.html":
            continue  # it is shown at any address: its links are of the server's root
        for target in page.loads:
            if urlsplit(target).netloc:
                yield f"{where}: loads {target} from elsewhere"
        for target in (*page.links, *page.loads):
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if file.is_dir():
                file /= "index.html"
            if not file.exists():
                yield f"{where}: {target} is not there"
            elif parts.fragment and file in pages:
                anchors = pages[file].anchors
                if unquote(parts.fragment) not in anchors:
                    yield f"{where}: {target} names no anchor of its page"


def main(arguments: list[str]) -> int:
    """Run the command; return its exit code."""
    found = list(faults(Path(arguments[0])))
    print("\n".join(found) or f"{arguments[0]}: no dead link, and nothing is loaded from elsewhere")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
