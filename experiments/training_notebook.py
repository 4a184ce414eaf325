# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     name: python3
# ---
# ruff: noqa: B018, D100 - cells show their last value

# %% [markdown]
# # Linear regions over a training
#
# A dense network (784-64-64-10) and a convolutional residual one (7,840 units) learn MNIST. On the
# way the activation regions on the segments between three test images, and in the plane through
# them, are counted exactly. `jupytext --to ipynb training_notebook.py` makes a notebook of this
# file; the cells need milpcount with the extras `torch` and `plot`, and run from the root of the
# project.
#
# `MILPCOUNT_SMOKE=1` runs the same cells in seconds, with four steps of training.

# %%
import os

import matplotlib.pyplot as plt
import pandas

from experiments import training_sections as experiment
from milpcount.plots import training

smoke = bool(os.environ.get("MILPCOUNT_SMOKE"))
steps = (0, 1, 2, 4) if smoke else experiment.STEPS
drawn = (0, 4) if smoke else experiment.DRAWN

# %% [markdown]
# ## Images and domains
#
# The plane's origin is image 1, its axes lead to images 2 and 3. The residual network has far more
# regions, so that its window is a tenth of the dense one's: the corner at image 1.

# %%
data = experiment.digits()
three = experiment.three_of(data)
networks = experiment.networks()
windows = {"dense": 0.25 if smoke else 1.0, "residual": 0.01 if smoke else 0.1}
domains = {name: experiment.domains(three, windows[name]) for name in networks}

figure, axes = plt.subplots(1, 3, figsize=(4.5, 1.6))
for number, (place, image) in enumerate(zip(axes, three, strict=True), start=1):
    place.imshow(image[0], cmap="gray_r")
    place.set_title(f"image {number}", fontsize=9)
    place.set_axis_off()

# %% [markdown]
# ## Training
#
# `mc.Tracker` traces a module once; every call counts it with the numbers that it has then.

# %%
tables, frames = {}, {}
for name, model in networks.items():
    tables[name], frames[name] = experiment.train(name, model, domains[name], data, steps, drawn)

table = pandas.concat(tables.values())
table[["network", "step", "domain", "lower", "upper", "exact", "guarantee", "accuracy"]]

# %% [markdown]
# ## Counts beside loss and accuracy

# %%
dense_counts = training.draw(tables["dense"])
dense_counts

# %%
residual_counts = training.draw(tables["residual"])
residual_counts

# %% [markdown]
# ## The plane over the training
#
# A pattern has the same colour in every panel; the images that lie in the window are marked.

# %%
dense_plane = experiment.plane_figure(frames["dense"], drawn)
dense_plane

# %%
residual_plane = experiment.plane_figure(frames["residual"], drawn)
residual_plane

# %% [markdown]
# ## How many regions training leaves

# %%
first_last = table[table.step.isin([min(steps), max(steps)])]
first_last.pivot_table(index=["network", "domain"], columns="step", values="lower", aggfunc="first")
