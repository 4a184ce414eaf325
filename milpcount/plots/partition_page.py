"""A page with the partition of a plane: hovering over a region shows its pattern, map and rows.

The page is one file without anything from elsewhere: an SVG with one polygon a region, the numbers
as JSON, and a script of a few lines.
"""

import json
from typing import Any

import numpy as np

from milpcount.domain import Domain
from milpcount.exact.polygons import polygons
from milpcount.plots.partition import COLOURS, faces
from milpcount.plots.subjects import Subject, partition_of, plane_of
from milpcount.printable import as_html

_STYLE = """
body { font: 15px/1.5 sans-serif; margin: 1em; }
h1 { font-size: 1.1em; }
main { display: flex; flex-wrap: wrap; gap: 1.5em; }
svg { width: min(90vw, 40em); height: auto; border: 1px solid #999; }
polygon { stroke: #000; stroke-width: 0.5; vector-effect: non-scaling-stroke; }
polygon:hover, polygon:focus { stroke-width: 2.5; outline: none; }
pre { min-width: 22em; margin: 0; white-space: pre-wrap; }
"""

_SCRIPT = """
const regions = JSON.parse(document.getElementById("regions").textContent);
const shown = document.getElementById("shown");
const number = v => (v < 0 ? "- " : "+ ") + Math.abs(v).toPrecision(6);
const affine = (row, constant) => row.map((v, k) => number(v) + " t" + (k + 1)).join(" ")
  + " " + number(constant);
function show(event) {
  const i = event.target.dataset.region;
  if (i === undefined) return;
  const r = regions[i];
  shown.textContent = "region " + i + "\\npattern " + r.pattern + "\\nlinear region " + r.linear
    + "\\n\\nmap\\n" + r.C.map((row, k) => "y" + (k + 1) + " = " + affine(row, r.d[k])).join("\\n")
    + "\\n\\nfacets, positive inside\\n" + r.A.map((row, k) =>
      "0 <= " + affine(row.map(v => -v), r.b[k]) + "   "
      + (r.units[k].length ? "unit " + r.units[k].join(", ") : "domain")).join("\\n");
}
const svg = document.querySelector("svg");
for (const name of ["mouseover", "focusin"]) svg.addEventListener(name, show);
"""


def page(subject: Subject, domain: Domain | None = None, colour: str = "region") -> str:
    """Return the page.

    Parameters
    ----------
    subject : Network or Partition
        Of continuous units.
    domain : Domain, optional
        Of a network: of two parameters, bounded.
    colour : {"region", "linear_region", "map"}
        What is told apart by colours; "layer" is taken as "region".

    Raises
    ------
    DomainError
        If the domain is not a bounded plane one.
    OptionError
        If a unit is not continuous.
    """
    inputs = plane_of(subject, domain)
    found = partition_of(subject, domain)
    network = found.network
    patterns = [found.pattern(i) for i in range(len(found))]
    shapes = [np.array(p, dtype=float) for p in polygons(network, inputs, patterns)]
    labels = found.linear_regions().tolist()
    by = colour if colour in COLOURS[:3] else "region"
    colours, _ = faces(found, by)
    title = (
        f"{network.architecture}, {found.domain.title}: {len(found):,} activation regions, "
        f"{len(set(labels)):,} linear regions"
    )
    drawn = "\n".join(
        _polygon(i, shape, face)
        for i, (shape, face) in enumerate(zip(shapes, colours, strict=True))
    )
    low, width = inputs.lower, inputs.width
    # Upwards is up: y is mirrored.
    corner = (low[0], -(low[1] + width[1]), width[0], width[1])
    view = " ".join(repr(float(v)) for v in corner)
    records = [_record(found, i, labels[i]) for i in range(len(found))]
    numbers = json.dumps(records, allow_nan=False).replace("<", "\\u003c")
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{as_html(title)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{as_html(title)}</h1><main>"
        f"<svg viewBox='{view}' "
        "preserveAspectRatio='none' role='img'>"
        f"\n{drawn}\n</svg><pre id='shown'>Point at a region.</pre></main>"
        f"<script type='application/json' id='regions'>{numbers}</script>"
        f"<script>{_SCRIPT}</script></body></html>\n"
    )


def _polygon(index: int, shape: Any, face: tuple[float, float, float]) -> str:
    corners = " ".join(f"{float(x)!r},{float(-y)!r}" for x, y in shape)
    red, green, blue = (round(255 * v) for v in face)
    return (
        f"<polygon data-region='{index}' tabindex='0' points='{corners}' "
        f"fill='rgb({red},{green},{blue})'/>"
    )


def _record(found: Any, index: int, label: int) -> dict[str, Any]:
    rows = found.rows(index)
    slopes, offset = found.affine_map(index)
    pattern = found.pattern(index)
    return {
        "pattern": ("," if max(pattern) > 9 else "").join(map(str, pattern)),
        "linear": int(label),
        "A": rows.A.tolist(),
        "b": rows.b.tolist(),
        "units": rows.units,
        "C": slopes.tolist(),
        "d": offset.tolist(),
    }
