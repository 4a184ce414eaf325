"""The README as it is shown where the package is installed from: no link of it is dead there.

In the sources its links are paths of files beside it. They become addresses under the one that
``[tool.hatch.metadata.hooks.custom]`` of pyproject.toml names as ``files``; ``images``, where it is
given, is that of the files themselves, which some hosts keep apart from their pages of them. While
the project has no such address, the text of a link stays without it, and images are left out.
"""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
NOTE = "\nPages that are named here without a link are in the folder `docs/` of the sources.\n"
URLS = {
    "Documentation": "docs/README.md",
    "Changes": "CHANGELOG.md",
    "Experiments": "experiments/README.md",
}


def readme(text: str, files: str = "", images: str = "") -> str:
    """Return Markdown with its relative links made absolute, or left out where there is no address.

    Parameters
    ----------
    text : str
    files, images : str
        Addresses to which a path is added, such as ``https://host/project/blob/main``; `images` is
        `files` by default. Empty where there is none.
    """

    def address(match: re.Match[str]) -> str:
        mark, shown, target = match.groups()
        if re.match(r"[a-z]+:|#", target):
            return match[0]
        base = (images or files) if mark else files
        if base:
            return f"{mark}[{shown}]({base.rstrip('/')}/{target})"
        return "" if mark else shown

    parts, start = [], 0
    for fence in FENCE.finditer(text):
        parts += [LINK.sub(address, text[start : fence.start()]), fence[0]]
        start = fence.end()
    parts.append(LINK.sub(address, text[start:]))
    return "".join(parts) + ("" if files else NOTE)


class ReadmeHook(MetadataHookInterface):
    """Sets the README and, where the project has an address, its URLs."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the dynamic fields of the project."""
        files, images = self.config.get("files", ""), self.config.get("images", "")
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        shown = readme(text, files, images)
        metadata["readme"] = {"content-type": "text/markdown", "text": shown}
        if files:
            base = files.rstrip("/")
            metadata["urls"] = {name: f"{base}/{path}" for name, path in URLS.items()}
