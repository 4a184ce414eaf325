import numpy as np
import pytest

from experiments import recipe as recipes
from experiments import train as command
from experiments.files import KEYS, problems, read_manifest
from experiments.mnist import Mnist
from experiments.recipe import Recipe, evaluate
from milpcount.errors import OptionError

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def mnist():
    """Ten random images with noise, 784 pixels as the real ones."""
    rng = np.random.default_rng(5)
    middle = rng.integers(40, 216, (10, 784))
    labels = rng.integers(0, 10, 400)
    images = (middle[labels] + rng.integers(-40, 40, (400, 784))).astype(np.uint8)
    return Mnist(images[:300], labels[:300], images[300:], labels[300:])


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def side_by_side(widths, seed, mnist, epochs=2):
    from experiments.side_by_side import train

    return train(widths, seed, mnist.train_images, mnist.train_labels, Recipe(epochs))


def test_side_by_side_is_as_alone(mnist):
    widths = [(5, 17), (16, 6), (1, 21)]
    together = side_by_side(widths, 3, mnist)
    for pair, arrays in zip(widths, together, strict=True):
        alone = side_by_side([pair], 3, mnist)[0]
        assert [a.shape for a in arrays] == [a.shape for a in alone]
        for one, other in zip(arrays, alone, strict=True):
            assert one.dtype == np.float32
            np.testing.assert_allclose(one, other, atol=1e-5)


def test_side_by_side_is_as_plain_torch(mnist):
    n1, n2, seed = 7, 15, 2
    torch.manual_seed(recipes.initial_seed(n1, seed))
    layers = [torch.nn.Linear(784, n1), torch.nn.Linear(n1, n2), torch.nn.Linear(n2, 10)]
    model = torch.nn.Sequential(layers[0], torch.nn.ReLU(), layers[1], torch.nn.ReLU(), layers[2])
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    order = torch.Generator().manual_seed(seed)
    x = torch.from_numpy(mnist.train_images.astype(np.float32)) / 255
    y = torch.from_numpy(mnist.train_labels)
    for _ in range(2):
        for batch in torch.randperm(len(x), generator=order).split(64):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
            optimiser.step()
    ours = side_by_side([(3, 19), (n1, n2)], seed, mnist)[1]
    for mine, theirs in zip(ours, model.parameters(), strict=True):
        np.testing.assert_allclose(mine, theirs.detach().numpy(), atol=1e-5)
    loss = torch.nn.functional.cross_entropy(model(x), y).item()
    wrong = (model(x).argmax(1) != y).float().mean().item()
    assert evaluate(ours, mnist.train_images, mnist.train_labels) == pytest.approx(
        (loss, wrong), abs=1e-4
    )


def test_the_seed_decides(mnist):
    first, again, other = (side_by_side([(4, 18)], seed, mnist)[0] for seed in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_training_leaves_the_global_generator_alone(mnist):
    before = torch.random.get_rng_state()
    side_by_side([(2, 20)], 0, mnist, epochs=1)
    assert torch.equal(before, torch.random.get_rng_state())


def test_what_is_written_is_whole_and_not_trained_twice(mnist, tmp_path, capsys, monkeypatch):
    short = Recipe(epochs=1)
    command.train_all(tmp_path, [2, 20], [0, 1], short, mnist)
    assert list(problems(tmp_path)) == []
    manifest = read_manifest(tmp_path)
    assert [(e["n1"], e["seed"]) for e in manifest["networks"]] == [
        (2, 0),
        (2, 1),
        (20, 0),
        (20, 1),
    ]
    assert manifest["torch"] == torch.__version__ and "--epochs 1 " in manifest["command"]
    entry = manifest["networks"][0]
    with np.load(tmp_path / entry["file"]) as archive:
        arrays = [archive[key] for key in KEYS]
    test_loss, test_error = evaluate(arrays, mnist.test_images, mnist.test_labels)
    assert entry["test_loss"] == pytest.approx(test_loss, abs=1e-6)
    assert entry["test_error"] == test_error

    # As after a kill: one file is missing and one is damaged; only these are trained again.
    times = {e["file"]: (tmp_path / e["file"]).stat().st_mtime_ns for e in manifest["networks"]}
    lost, damaged = manifest["networks"][0]["file"], manifest["networks"][3]["file"]
    (tmp_path / lost).unlink()
    (tmp_path / damaged).write_bytes(b"half")
    command.train_all(tmp_path, [2, 20], [0, 1], short, mnist)
    assert list(problems(tmp_path)) == []
    now = {e["file"]: (tmp_path / e["file"]).stat().st_mtime_ns for e in manifest["networks"]}
    assert {file for file in times if times[file] != now[file]} == {lost, damaged}
    command.train_all(tmp_path, [2], [0], short, mnist)
    assert "seed 0: all there" in capsys.readouterr().err


def test_the_command(mnist, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "load_mnist", lambda folder: mnist)
    monkeypatch.setattr(command, "_prepare", lambda threads: None)
    arguments = ["--out", str(tmp_path), "--epochs", "1", "--only", "n1=5", "--seeds", "0,2"]
    assert command.main(arguments) == 0
    assert [e["seed"] for e in read_manifest(tmp_path)["networks"]] == [0, 2]
    captured = capsys.readouterr()
    assert captured.out == "" and "seed 2: epoch 1 of 1" in captured.err


@pytest.mark.parametrize(
    "wrong",
    [
        ["--epochs", "0"],
        ["--learning-rate", "nan"],
        ["--threads", "-1"],
        ["--seeds", "3-1"],
        ["--seeds", "x"],
        ["--only", "n1=22"],
        ["--only", "n2=5"],
        ["--mnist", "/nowhere"],
    ],
)
def test_wrong_options_end_in_one_line(wrong, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command, "_prepare", lambda threads: None)
    assert command.main(["--out", str(tmp_path), *wrong]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ") and said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_lists_of_numbers():
    assert command.numbers("0-3,7", 0, 9, "--seeds") == [0, 1, 2, 3, 7]
    assert command.numbers("5", 1, 21, "n1") == [5]
    with pytest.raises(OptionError, match=r"--seeds '-1'.*from 0 to 9"):
        command.numbers("-1", 0, 9, "--seeds")
