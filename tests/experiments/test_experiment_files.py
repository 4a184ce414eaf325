"""Every experiment of the folder reads, and its stored results fit it and each other."""

from pathlib import Path

import pytest

from experiments import fold_figure
from milpcount.plots.experiment import draw
from milpcount.store import Store
from milpcount.sweep.check import check
from milpcount.sweep.experiment import read_experiment

FOLDER = Path(__file__).parents[2] / "experiments"
FILES = sorted(FOLDER.glob("*.toml"))
STORES = {path: FOLDER / "results" / f"{path.stem}.jsonl" for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_reads(path):
    experiment = read_experiment(path)
    assert experiment.subjects and experiment.methods


FIGURES = [path for path in FILES if "[figure]" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", FIGURES, ids=lambda path: path.stem)
def test_its_results_are_there_and_possible(path):
    store, experiment = Store(STORES[path]), read_experiment(path)
    subjects = {record["subject"] for record in store.records.values()}
    assert subjects == {subject.title for subject in experiment.subjects}
    assert not check(store).impossible
    axes = draw(experiment, store).axes[0]
    assert len(axes.get_legend_handles_labels()[1]) >= len(experiment.figure.lines)


def test_the_graph_of_a_fold(tmp_path, capsys):
    target = tmp_path / "h.png"
    assert fold_figure.main(["--folds", "3", "--depth", "2", "--out", str(target)]) == 0
    assert target.read_bytes().startswith(b"\x89PNG")
    assert fold_figure.main(["--folds", "0", "--out", str(target)]) == 2
    assert "folds=0" in capsys.readouterr().err
