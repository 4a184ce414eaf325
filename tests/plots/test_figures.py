"""Figures and the report: they show every series, write every format, and refuse what they must."""

import math
import re

import numpy as np
import pytest

import milpcount as mc
from milpcount.errors import InputError
from milpcount.plots import accuracy, bounds, partition, runtime, style
from milpcount.plots.data import rank_correlation, rows_of
from milpcount.plots.report import page
from milpcount.plots.table import HEADER, markdown, summary
from milpcount.store import Store
from milpcount.sweep.check import check
from tests.networks import random_network
from tests.plots.conftest import line


def labels(figure):
    return figure.axes[0].get_legend_handles_labels()[1]


def test_rows_hold_what_the_lines_say(store):
    rows = rows_of(store)
    assert [(row.n1, row.seed) for row in rows] == [(n, s) for n in (1, 3, 5) for s in range(3)]
    row = rows[4]
    assert (row.exact, row.exact_seconds, row.estimate) == (1001, 3.0, 1001)
    assert row.upper["serra2020"] == 2002
    assert row.lower == {"probe": 1000, **{f"mbound {k}": 125 for k in (2, 3, 4, 5)}}
    assert row.seconds["probe"] == 3.0


def test_an_empty_store_is_refused(tmp_path):
    with pytest.raises(InputError, match="no results of the sweep"):
        rows_of(Store(tmp_path / "nothing.jsonl"))


def test_bounds_shows_all_series_at_their_means(store):
    figure = bounds.draw(rows_of(store))
    assert len(labels(figure)) == 10
    drawn = {line.get_label(): line.get_ydata() for line in figure.axes[0].get_lines()}
    assert list(drawn["empirical upper bound"]) == [22, 2002, 200002]
    assert list(drawn["probing, 95 %"]) == [10, 1000, 100000]


def test_a_mean_of_some_of_the_networks_is_marked(store):
    rows = rows_of(store)
    rows[3].exact = None
    drawn = {line.get_label(): line for line in bounds.draw(rows).axes[0].get_lines()}
    assert drawn["of some of the networks only"].get_xydata().tolist() == [[3.0, 1001.5]]


def test_a_stopped_count_is_a_bar_from_one_end_to_the_other(store):
    rows = rows_of(store)
    rows[4].exact, rows[4].stopped = None, (700, 1900)
    figure = bounds.draw(rows)
    assert "stopped counts, both ends" in labels(figure)
    (bars,) = [c for c in figure.axes[0].collections if c.get_label() == bounds._STOPPED]
    ((start, end),) = bars.get_segments()
    assert (start[1], end[1]) == (700, 1900)


def test_the_rows_of_stopped_counts_have_both_ends(tmp_path):
    store = Store(tmp_path / "store.jsonl")
    store.add(line(3, 0, "tree", lower="700", upper="1900", exact=False))
    (row,) = rows_of(store)
    assert row.exact is None and row.stopped == (700, 1900)


def test_series_differ_without_colour():
    series = [*bounds.UPPER, *bounds.LOWER]
    assert len({(marker, dashes) for _, _, _, marker, dashes in series}) == len(series)


def test_runtime_marks_small_networks(store):
    figure = runtime.draw(rows_of(store))
    hollow = [c for c in figure.axes[0].collections if len(c.get_facecolors()) == 0]
    assert sum(len(c.get_offsets()) for c in hollow) == 5 * 6  # 10 and 1,000 regions
    with pytest.raises(InputError, match="run both methods"):
        runtime.draw([])


def test_accuracy_has_a_panel_for_each_quantity_and_error(store):
    figure = accuracy.draw(rows_of(store))
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[:2] == ["exact count", "probing, unbiased estimate"]
    assert titles[2:4] == ["APP-5, arithmetic mean", "APP-5, geometric mean"]
    row = rows_of(store)[8]
    assert accuracy.app5(row, geometric=False) == (2 * 100002 + 12500) / 2
    assert math.isclose(accuracy.app5(row, geometric=True) ** 2, 2 * 100002 * 12500)


def test_rank_correlation():
    assert rank_correlation([1, 10, 10**30], [3, 2, 1]) == pytest.approx(-1.0)
    assert rank_correlation([1, 2, 3, 4], [1, 3, 2, 4]) == pytest.approx(0.8)
    assert rank_correlation([1, 1, 2, 2], [1, 2, 3, 4]) == pytest.approx(0.894427, abs=1e-6)
    assert math.isnan(rank_correlation([1, 1, 1], [1, 2, 3]))


@pytest.mark.parametrize("suffix", style.FORMATS)
def test_formats(store, tmp_path, invoke_plot, suffix):
    target = tmp_path / f"figure{suffix}"
    assert invoke_plot("bounds", store.path, "-o", target).exit_code == 0
    first = target.read_bytes()
    invoke_plot("bounds", store.path, "-o", target)
    assert target.read_bytes() == first  # no date in it
    assert len(first) > 1000


@pytest.fixture
def invoke_plot():
    from typer.testing import CliRunner

    from milpcount.cli import app

    return lambda *arguments: CliRunner().invoke(app, ["plot", *map(str, arguments)])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("bounds", "STORE", "-o", "f.jpg"), "ends in .pdf, .svg, .png"),
        (("bounds", "STORE", "-o", "no/such/f.pdf"), "there is no folder"),
        (("bounds", "nothing.jsonl", "-o", "f.pdf"), "there is no such store"),
        (("bounds", "STORE", "--box", "0", "1", "-o", "f.pdf"), "only a partition has these"),
        (("partition", "NET", "-o", "f.pdf"), "no domain"),
        (("partition", "NET", "--box", "0", "1", "--mark", "a", "-o", "f.pdf"), "two numbers"),
    ],
)
def test_wrong_usage(store, tmp_path, invoke_plot, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    random_network(1, 2, (3,)).save(tmp_path / "net.npz")
    given = [str(store.path) if a == "STORE" else "net.npz" if a == "NET" else a for a in arguments]
    done = invoke_plot(*given)
    assert done.exit_code == 2
    assert message in " ".join(done.stderr.split())


def test_a_partition_has_a_polygon_for_each_region(tmp_path, invoke_plot):
    network = random_network(2, 2, (5, 4))
    figure = partition.draw(network, mc.Box(-1, 1), [(0.0, 0.5)], ["here"])
    (shapes,) = figure.axes[0].collections
    count = mc.count(network, mc.Box(-1, 1)).lower
    assert len(shapes.get_paths()) == count
    assert f"{count} activation regions" in figure.axes[0].get_title()
    network.save(tmp_path / "net.npz")
    done = invoke_plot("partition", tmp_path / "net.npz", "--box", "-1", "1", "--mark", "0,0.5=x",
                       "-o", tmp_path / "f.pdf")  # fmt: skip
    assert done.exit_code == 0 and (tmp_path / "f.pdf").stat().st_size > 1000


def test_patterns_have_colours_of_their_own():
    patterns = [tuple(int(b) for b in f"{i:06b}") for i in range(64)]
    colours = {partition.colour(p, (3, 3)) for p in patterns}
    assert len(colours) == 64
    assert all(0 <= c <= 1 for colour in colours for c in colour)


def test_the_table(store):
    rows = summary(rows_of(store))
    assert rows[1] == ["3-19", "3 of 3", "1,001", "1,000", "1,002", "4,000,000", "3,000,000",
                       "2,002", "125", "1,000", "13.43 %"]  # fmt: skip
    assert all(len(row) == len(HEADER) for row in rows)
    assert len(markdown(rows_of(store)).splitlines()) == 5


def test_the_report_is_one_file_with_everything(store):
    text = page("A <sweep>", store, ["milpcount sweep x.toml"])
    assert "A &lt;sweep&gt;" in text
    assert text.count("<svg") == 3
    assert "src=" not in text and "<link" not in text and "<script" not in text
    assert "9 networks, 9 counted exactly" in text
    assert "milpcount sweep x.toml" in text and "2 x a processor" in text
    assert f"{len(check(store).comparisons):,} comparisons" in text


def test_a_report_can_be_read_on_a_phone(store):
    text = page("A sweep", store, ["milpcount sweep x.toml"])
    assert "<meta name='viewport' content='width=device-width, initial-scale=1'>" in text
    wide = re.findall(r"<div class='wide' tabindex='0'>(.*?)</div>", text, re.DOTALL)
    assert [part[:4] for part in wide] == ["<svg"] * 3 + ["<tab"] * 2
    assert ".wide { overflow-x: auto" in text  # tables and figures move, the page does not
    assert text.count("<table") + text.count("<svg") == len(wide)


def test_a_report_of_counts_alone(tmp_path):
    from tests.plots.conftest import lines

    store = Store(tmp_path / "counts.jsonl")
    for record in lines():
        if record["method"] == "tree":
            store.add(record)
    text = page("t", store, [])
    assert "Not drawn: no network has an exact count and a lower bound" in text
    assert np.isfinite(len(text))


@pytest.mark.parametrize("colour", partition.COLOURS)
def test_a_partition_tells_apart_what_is_asked(colour, tmp_path):
    # zero output weights: one linear region, of one map
    network = mc.Network.from_arrays(
        [[[1, 0], [0, 1], [1, 1]], [[0, 0, 0]]], [[0, 0.25, -0.5], [1]]
    )
    figure = partition.draw(network, mc.Box(-1, 1), colour=colour)
    (axes,) = figure.axes
    faces = {tuple(c) for c in axes.collections[0].get_facecolor()}
    assert len(faces) == {"region": 7, "linear_region": 1, "map": 1, "layer": 1}[colour]
    title = {"linear_region": ", 1 linear regions", "map": ", 1 affine pieces"}.get(colour, "")
    assert axes.get_title().endswith(f"7 activation regions{title}")
    if colour == "layer":
        (lines,) = axes.collections[1:]
        assert len(lines.get_segments()) == 2 * 9  # each inner side from both of its regions
    style.save(figure, tmp_path / "figure.svg")


def test_a_partition_refuses_other_colours():
    with pytest.raises(InputError, match="region, linear_region, map, layer"):
        partition.draw(random_network(0, 2, (3,)), mc.Box(-1, 1), colour="blue")
