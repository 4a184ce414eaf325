"""The notebook of the training runs from its first cell to its last, in a small size."""

import runpy
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("matplotlib")


@pytest.mark.slow
def test_all_cells_run(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    from matplotlib import pyplot

    from experiments import training_sections

    generator = torch.Generator().manual_seed(0)
    images = torch.rand((200, 1, 28, 28), generator=generator)
    labels = torch.randint(10, (200,), generator=generator)
    small = training_sections.Residual(4, 1, down=4)
    networks = {**training_sections.networks(), "residual": small}
    monkeypatch.setenv("MILPCOUNT_SMOKE", "1")
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setattr(training_sections, "digits", lambda: (images, labels, images, labels))
    monkeypatch.setattr(training_sections, "networks", lambda: networks)
    made = runpy.run_path(str(Path(training_sections.__file__).with_name("training_notebook.py")))
    table = made["table"]
    assert len(table) == 2 * 4 * 4 and bool(table.exact.all())
    assert (table.lower.astype(float) >= 1).all()
    for name in ("dense_counts", "residual_counts", "dense_plane", "residual_plane"):
        assert len(made[name].axes) >= 2
    assert np.isfinite(table.loss).all()
    pyplot.close("all")
