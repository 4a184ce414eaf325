"""Files and options that cannot be honoured: one line on stderr and exit code 2, at once."""

import bz2
import gzip
import io
import json
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from milpcount import caps

HUGE = 10**30
DEEP = 20_000


def refused(done) -> str:
    """Return the line of a refusal."""
    assert done.exit_code == 2, (done.exit_code, done.exception, done.stderr[-500:])
    assert done.stdout == ""
    assert done.stderr.startswith("milpcount: error: "), done.stderr[-500:]
    assert done.stderr.count("\n") == 1 and done.stderr.endswith("\n")
    assert len(done.stderr) < 2_100 and done.stderr[:-1].isprintable()
    return str(done.stderr)


OPTIONS = {
    ("--regions", 10**23): "region limit ~1.0·10^23: give|~1.0·10^23 regions, and",
    ("--regions", -1): "region limit -1: give an integer of at least 1",
    ("--time", "nan"): "time limit nan: give a number of seconds above 0",
    ("--time", "inf"): "time limit inf: give a number of seconds above 0",
    ("--time", "-1"): "time limit -1.0: give a number of seconds above 0",
    ("--time", "1e300"): "seconds, and 1,000,000,000 are the most",
    ("--box", "nan", 1): "the box's lower bound holds nan at input 0",
    ("--box", 0, "inf"): "bounds must be finite",
    ("--seed", -1): "seed -1: give an integer of at least 0",
    ("--seed", -1, "--method", "probe"): "seed -1: give an integer of at least 0",
    ("--seed", 2**64, "--method", "mbound"): "18,446,744,073,709,551,616 as a seed",
    ("--workers", 1_000_000): "workers=1000000: give an integer from 1 to",
    ("--workers", 0): "workers=0: give an integer from 1 to",
    ("--xor-size", 10**9, "--method", "mbound"): "1,000,000,000 units in an XOR",
    ("--xor-size", "9" * 5000, "--method", "mbound"): "xor",
    ("--backend", "gurobi", "--method", "mbound"): "takes no rows",
    ("--runs", 10**9, "--method", "mbound"): "1,000,000,000 runs, and 2,000 are the most",
    ("--hybrid", HUGE, "--method", "mbound"): "hybrid: ~1.0·10^30 regions",
    ("--probes", HUGE, "--method", "probe"): "probes: ~1.0·10^30 walks",
    ("--gap", "nan", "--method", "probe"): "gap nan: give a number of bits above 0",
    ("--confidence", "nan", "--method", "probe"): "confidence nan: give a number between 0 and 1",
    ("--vnnlib-inputs-only",): "--vnnlib-inputs-only belongs to --vnnlib FILE",
}


@pytest.mark.parametrize("given", OPTIONS, ids=lambda given: " ".join(map(str, given))[:40])
def test_options(invoke, tent, given):
    box = () if "--box" in given else ("--box", 0, 1)
    line = refused(invoke("count", tent, *box, "--quiet", *given))
    assert any(message in line for message in OPTIONS[given].split("|")), line


@pytest.mark.parametrize("command", ["compare", "count"])
@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "0"])
def test_limits_of_every_command(invoke, tent, command, seconds):
    line = refused(invoke(command, tent, "--box", 0, 1, "--quiet", "--time", seconds))
    assert "give a number of seconds above 0" in line


def test_limits_of_a_sweep(invoke, tmp_path):
    line = refused(invoke("sweep", tmp_path / "x.toml", "--time", "nan"))
    assert "--time nan: give a number of seconds above 0" in line


# Networks ----------------------------------------------------------------------------------------


def npy(shape: tuple[int, ...], data: bytes = b"", descr: str = "<f8") -> bytes:
    """Return a .npy file that declares what it likes."""
    text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def archive(path: Path, members: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", kind) as target:
        for name, content in members.items():
            target.writestr(name, content)
    return path


PLAIN = {"W0.npy": npy((1, 1), bytes(8)), "b0.npy": npy((1,), bytes(8))}


def with_metadata(**content: object) -> Callable[[Path], Path]:
    return with_text(json.dumps(content))


def with_text(text: str) -> Callable[[Path], Path]:
    def make(path: Path) -> Path:
        stream = io.BytesIO()
        np.save(stream, np.array(text))
        return archive(path, PLAIN | {"metadata.npy": stream.getvalue()})

    return make


def bomb(path: Path) -> Path:
    """An archive of a few megabytes whose directory says what it unpacks to: 8 GB."""
    unit = bytes((1 << 22) + 12_345)  # a number that stands nowhere else
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        target.writestr("W0.npy", unit)
    content = path.read_bytes()
    size = struct.pack("<L", len(unit))
    assert content.count(size) == 2  # in the member's header and in the directory
    path.write_bytes(content.replace(size, struct.pack("<L", 0xF0000000)))
    return path


def lying(path: Path) -> Path:
    """An archive whose directory says less than it unpacks to."""
    archive(path, PLAIN | {"W0.npy": npy((1, 1), bytes(1 << 22))})
    content = path.read_bytes()
    size = struct.pack("<L", len(npy((1, 1), bytes(1 << 22))))
    path.write_bytes(content.replace(size, struct.pack("<L", len(npy((1, 1), bytes(8))))))
    return path


def deep_table(key: str, value: object) -> dict[str, object]:
    table = {
        "name": "x", "rank": 1, "rows": [[0, -1, 0.0]],
        "pieces": [[0, 0.0, 0.0, [[0, -1]]], [0, 1.0, 0.0, [[0, 1]]]],
    }  # fmt: skip
    return {"activations": [table | {key: value}], "output": False}


ARCHIVES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a bomb": (bomb, "4,026,531,840 bytes of arrays, and 2,147,483,648 are the most"),
    "a directory that lies": (lying, "not a readable .npz archive"),
    "a huge shape": (
        lambda p: archive(p, PLAIN | {"W0.npy": npy((10**12, 10**12))}),
        "declares shape (1000000000000, 1000000000000) of 8 bytes each, but holds 0 bytes",
    ),
    "a huge shape of nothing": (
        lambda p: archive(p, PLAIN | {"W0.npy": npy((10**18,), descr="|V0")}),
        "numbers, and",
    ),
    "a negative shape": (
        lambda p: archive(p, PLAIN | {"W0.npy": npy((-1, -1), bytes(8))}),
        "declares shape (-1, -1)",
    ),
    "a nested header": (
        lambda p: archive(
            p, PLAIN | {"W0.npy": b"\x93NUMPY\x01\x00" + struct.pack("<H", 9000) + b"(" * 9000}
        ),
        "not a readable .npz archive",
    ),
    "objects": (
        lambda p: archive(p, PLAIN | {"b0.npy": npy((1,), bytes(8), "|O")}),
        "b0.npy holds Python objects, which are not read since that runs code",
    ),
    "another packing": (
        lambda p: archive(p, PLAIN, zipfile.ZIP_BZIP2),
        "is packed in a way that numpy does not write",
    ),
    "an array twice": (
        lambda p: archive(p, PLAIN | {"W0": PLAIN["W0.npy"]}),
        "'W0' is there twice: give each array once",
    ),
    "nested metadata": (with_text("[" * DEEP + "]" * DEEP), "metadata is not JSON"),
    "metadata of numbers": (
        lambda p: archive(p, PLAIN | {"metadata.npy": npy((), bytes(8))}),
        "metadata has shape () and type float64: one JSON text is needed",
    ),
    "metadata of two texts": (
        lambda p: archive(p, PLAIN | {"metadata.npy": npy((2,), bytes(8), "<U1")}),
        "metadata has shape (2,)",
    ),
    "slopes that are no numbers": (
        lambda p: archive(p, PLAIN | {"leaky_alpha.npy": npy((), bytes(4), "<U1")}),
        "leaky_alpha has type <U1: numbers are needed",
    ),
    "a table of rank 0": (with_metadata(**deep_table("rank", 0)), "rank 0"),
    "a table of huge rank": (
        with_metadata(**deep_table("rank", 10**9)),
        "it has 1000000000 values and 1 rows: at most 12 of each are allowed",
    ),
    "a table with a rank that is none": (with_metadata(**deep_table("rank", "2")), "rank '2'"),
    "a table of many pieces": (
        with_metadata(**deep_table("pieces", [[0, 0.0, 0.0, []]] * 5000)),
        "5,000 pieces of a unit, and 4,096 are the most",
    ),
    "maxout": (
        with_metadata(activations=["maxout(1000000)"], output=False),
        "a maxout unit of rank 1000000: give an integer of at least 2 and at most 512",
    ),
    "many pieces": (
        with_metadata(
            activations=[f"piecewise_linear({[0] * 5000},{[0] * 5001},{[0] * 5001})"], output=False
        ),
        "an activation: 5,001 pieces of a unit, and 4,096 are the most",
    ),
    "a nested activation": (
        with_metadata(activations=[f"leaky_relu({'(' * 5000}{')' * 5000})"], output=False),
        "is not known: allowed are relu",
    ),
    "an activation that is none": (
        with_metadata(activations=[{"name": [1] * 9999}], output=False),
        "cannot be read (KeyError('rows'))",
    ),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_archives(invoke, tmp_path, name):
    make, message = ARCHIVES[name]
    path = make(tmp_path / "net.npz")
    tracemalloc.start()
    began = time.perf_counter()
    line = refused(invoke("inspect", path))
    assert tracemalloc.get_traced_memory()[1] < 1 << 27
    tracemalloc.stop()
    assert time.perf_counter() - began < 10
    assert "net.npz: " in line and message in line, line


NNET = "1,{0},1,{0},\n{0},1,\n0,\n-1,\n1,\n0,\n1,\n{1}\n0,\n"
TEXTS = {
    "more inputs than a domain can have": (
        NNET.format(300_000, "1," * 300_000)
        .replace("\n-1,", "\n" + "-1," * 300_000)
        .replace("\n1,\n0,", "\n" + "1," * 300_000 + "\n0,"),
        "a domain of 300000 parameters in 300000 inputs: 90,000,000,000 numbers",
    ),
    "sizes that the file does not hold": (
        NNET.format(10_000, "1,"),
        "sizes [10000, 1] need 10,001 numbers, more than",
    ),
    "sizes without end": (NNET.format(f"1{'0' * 300}", "1,"), "numbers, and 268,435,456 are"),
    "infinite sizes": (NNET.format("1e999", "1,"), "one positive integer more than layers"),
    "sizes that are none": (NNET.format("nan", "1,"), "one positive integer more than layers"),
    "many layers": (
        f"20000,1,1,1,\n{'1,' * 20_001}\n" + "0,\n" * 50_000,
        "20,000 layers, and 10,000 are the most",
    ),
    "an escape sequence": ("\x1b[31m,\n" * 9, r"could not convert string to float: '\x1b[31m'"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_nnet_files(invoke, tmp_path, name):
    text, message = TEXTS[name]
    path = tmp_path / "net.nnet"
    path.write_text(text)
    line = refused(invoke("count", path, "--header-box", "--quiet"))
    assert ("net.nnet: " in line or "a domain of" in line) and message in line, line


def test_an_archive_of_many_arrays(invoke, tmp_path, monkeypatch):
    monkeypatch.setattr(caps, "LAYERS", replace(caps.LAYERS, most=10))
    path = archive(tmp_path / "net.npz", {f"x{i}": b"" for i in range(22)})
    assert "its arrays make: 11 layers, and 10 are the most" in refused(invoke("inspect", path))


def test_a_path_that_is_too_long_or_holds_an_escape_sequence(invoke):
    assert "is no path" in refused(invoke("inspect", f"{'x' * 5000}.npz"))
    assert r"\x1b[31mred.npz does not exist" in refused(invoke("inspect", "\x1b[31mred.npz"))


def test_a_domain_of_too_many_inputs(invoke, tmp_path):
    path = tmp_path / "wide.npz"
    np.savez(path, W0=np.ones((1, 200_000), np.float32), b0=[0.0], W1=[[1.0]], b1=[0.0])
    for domain in (("--box", 0, 1), ("--unbounded",)):
        line = refused(invoke("count", path, *domain, "--quiet"))
        assert "a domain of 200000 parameters in 200000 inputs: 40,000,000,000 numbers" in line


def onnx_model(path: Path, operator: str, *sizes: int, **attributes: object) -> Path:
    """Write a model of one node, whose second input, or only one, holds sizes."""
    onnx = pytest.importorskip("onnx")
    helper, real = onnx.helper, onnx.TensorProto.FLOAT
    constant = onnx.numpy_helper.from_array(np.array(sizes, np.int64), "s")
    names = ["s"] if operator == "ConstantOfShape" else ["x", *(["s"] if sizes else [])]
    nodes = [
        helper.make_node(operator, names, ["c"], name="\x1b[31m", **attributes),
        helper.make_node("Add", ["x", "c"], ["y"]),
    ]
    image = [1, 1, 4, 4]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", real, image)],
        [helper.make_tensor_value_info("y", real, None)],
        [constant] if sizes else [],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), path)
    return path


@pytest.mark.parametrize(
    ("operator", "sizes", "attributes"),
    [
        ("ConstantOfShape", (10**6, 10**6), {}),
        ("Pad", (0, 0, 0, 0, 0, 0, 10**6, 10**6), {}),
        ("AveragePool", (), {"kernel_shape": [10**6, 10**6]}),
        ("AveragePool", (), {"kernel_shape": [2, 2], "pads": [10**6] * 4}),
    ],
)
def test_onnx_nodes_that_make_much_of_nothing(invoke, tmp_path, operator, sizes, attributes):
    path = onnx_model(tmp_path / "net.onnx", operator, *sizes, **attributes)
    line = refused(invoke("inspect", path))
    assert rf"node '\x1b[31m' ({operator}): its output: " in line
    assert "numbers, and 268,435,456 are the most" in line


# Domains -----------------------------------------------------------------------------------------

JSON = {
    "nested": "[" * DEEP + "]" * DEEP,
    "nested in a field": f'{{"lower": {"[" * 500}{"]" * 500}, "upper": 1}}',
    "a number of many digits": f'{{"lower": 0, "upper": {"9" * 9999}}}',
    "a fraction of many digits": f'{{"lower": 0, "upper": "1/{"9" * 9999}"}}',
    "an exponent": '{"lower": 0, "upper": 1e99999}',
    "a large number": f'{{"lower": 0, "upper": {"9" * 999}}}',
    "not text": "\x00\x1b[2J",
}


@pytest.mark.parametrize("option", ["--box-file", "--section"])
@pytest.mark.parametrize("name", JSON)
def test_domains_in_json(invoke, tent, tmp_path, option, name):
    path = tmp_path / "domain.json"
    path.write_text(JSON[name])
    assert "domain.json" in refused(invoke("count", tent, option, path, "--quiet"))


DECLARED = "(declare-const X_0 Real)(declare-const Y_0 Real)(assert (<= 0 X_0 1))"
VNNLIB = {
    "(assert (<= Y_0 0))": "--vnnlib-inputs-only",
    "(assert (<= Y_0 X_0))": "mixes inputs and outputs",
    "(assert (< X_0 0.5))": "is strict",
    "(define-fun f () Real 1.0)": "definitions of names are not supported",
    "(vnnlib-version <2.0>)": "is one of VNN-LIB 2.0, whose files begin with",
    "(" * DEEP: f"{DEEP} parentheses are not closed",
    "(" * DEEP + ")" * DEEP: "is not supported",
    f"(assert {'(not ' * DEEP}X_0{')' * DEEP})": "is not supported",
    f"(assert (<= {'(+ ' * DEEP}Z{')' * DEEP} 1))": "'Z' is not a number",
    "(assert (<= X_0 1e999999999))": "digits or decimal places",
    "(assert (<= X_0 \x1b[31m))": r"'\x1b[31m' is not a number",
}


@pytest.mark.parametrize("text", VNNLIB, ids=lambda text: text[:30].replace("\x1b", "ESC"))
def test_vnnlib_files(invoke, tent, tmp_path, text):
    path = tmp_path / "property.vnnlib"
    path.write_text(DECLARED + text)
    line = refused(invoke("count", tent, "--vnnlib", path, "--quiet"))
    assert "property.vnnlib: " in line and VNNLIB[text] in line, line


PACKED = [gzip.compress(b" " * (1 << 20)), bz2.compress(b"x"), b"\x1f\x8b"]


@pytest.mark.parametrize("content", PACKED, ids=["a bomb", "another kind", "cut"])
def test_packed_vnnlib_files(invoke, tent, tmp_path, monkeypatch, content):
    monkeypatch.setattr(caps, "TEXT", replace(caps.TEXT, most=1 << 19))
    path = tmp_path / "property.vnnlib.gz"
    path.write_bytes(content)
    line = refused(invoke("count", tent, "--vnnlib", path, "--quiet"))
    assert "property.vnnlib.gz" in line
    assert ("524,289 bytes of text" in line) == (content is PACKED[0])


def test_the_input_set_of_a_property_with_outputs(invoke, tent, tmp_path, scripted):
    method = scripted()
    path = tmp_path / "property.vnnlib"
    path.write_text(DECLARED + "(assert (<= Y_0 0))")
    done = invoke("count", tent, "--vnnlib", path, "--vnnlib-inputs-only")
    assert done.exit_code == 0, done.stderr
    assert method.seen[0].inputs.upper.tolist() == [1.0]


@pytest.mark.parametrize("command", ["inspect", "bound"])
def test_a_union_where_one_set_is_needed(invoke, tent, tmp_path, command):
    path = tmp_path / "property.vnnlib"
    path.write_text("(declare-const X_0 Real)(assert (<= 0 X_0 1))"
                    "(assert (or (<= X_0 0.25) (>= X_0 0.5)))")  # fmt: skip
    line = refused(invoke(command, tent, "--vnnlib", path))
    assert "a union of 2 boxes is no convex set, which is needed here" in line
    done = invoke("count", tent, "--vnnlib", path, "--method", "exact", "--quiet")
    assert done.exit_code == 0 and done.stdout.startswith("activation regions  6   exact")
    line = refused(invoke("count", tent, "--vnnlib", path, "--method", "probe", "--quiet"))
    assert "method 'probe' bounds the regions of one convex set" in line


# Experiments and stores ---------------------------------------------------------------------------

METHOD = '[[methods]]\nname = "tree"\n'
EXPERIMENTS = {
    "a long range": (
        f'networks.random = ["2-3"]\nnetworks.seeds = "0-1000000000"\n{METHOD}',
        "networks.seeds = '0-1000000000': 1,000,000,001 numbers in a list of ranges",
    ),
    "a range of many digits": (
        f'networks.random = ["2-3"]\nnetworks.seeds = "0-{"9" * 5000}"\n{METHOD}',
        "give numbers and ranges",
    ),
    "a large random network": (
        f'networks.random = ["30000-30000:relu"]\ndomain.unbounded = true\n{METHOD}',
        "random network '30000-30000:relu': 900,000,000 numbers",
    ),
    "nested": (f"title = {'[' * DEEP}", "is not TOML"),
    "nested but well": (f"title = {'[' * 50}{']' * 50}", "give a string"),
    "an integer of many digits": (f"title = {'9' * 5000}", "is not TOML"),
    "a box of many digits": (f"domain.box = [0, {'9' * 400}]\n{METHOD}", "domain.box"),
    "a box with nan": (f"domain.box = [0, nan]\n{METHOD}", "domain.box"),
    "a box of texts": (f'domain.box = ["0", "1"]\n{METHOD}', "domain.box"),
    "networks that are numbers": (
        f"domain.box = [0, 1]\nnetworks.files = [1]\n{METHOD}",
        "networks.files = [1]: give a list of strings",
    ),
    "networks that are a number": (f"networks = 1\n{METHOD}", "networks = 1: give a table"),
    "an architecture that is a table": (
        f"domain.box = [0, 1]\nnetworks.architectures = [{{a = 1}}]\n{METHOD}",
        "networks.architectures",
    ),
    "methods that are a list": ("methods = [1]", "methods = 1: give tables"),
    "a negative seed": (METHOD + "seed = -1", "methods.seed -1: give an integer of at least 0"),
    "many seconds": (METHOD + f"seconds = {'9' * 400}", "methods.seconds: "),
    "infinite seconds": (METHOD + "seconds = inf", "methods.seconds inf: give a number"),
    "a confidence that is none": (
        'domain.box = [0, 1]\nnetworks.random = ["2-3"]\n'
        '[[methods]]\nname = "probe"\nconfidence = "high"',
        "confidence 'high': give a number between 0 and 1",
    ),
    "runs that are none": (
        'domain.box = [0, 1]\nnetworks.random = ["2-3"]\n'
        '[[methods]]\nname = "mbound"\nruns = "many"',
        "runs 'many': give an integer of at least 1",
    ),
    "probes of a fraction": (
        'domain.box = [0, 1]\nnetworks.random = ["2-3"]\n[[methods]]\nname = "probe"\nprobes = 1.5',
        "probes 1.5: give an integer of at least 1",
    ),
    "options that multiply": (
        METHOD + "".join(f"o{i} = {list(range(100))}\n" for i in range(5)),
        "method 'tree': 10,000,000,000 numbers in a list of ranges",
    ),
    "a title with an escape sequence": ('"\\u001b[31m" = 1', r"\x1b[31m: no such key"),
}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_experiments(invoke, tmp_path, name):
    text, message = EXPERIMENTS[name]
    path = tmp_path / "x.toml"
    path.write_text(text if "domain" in text else f"domain.box = [0, 1]\n{text}")
    line = refused(invoke("sweep", path, "--store", tmp_path / "x.jsonl", "--quiet"))
    assert message in line, line


MANIFESTS = ["[" * DEEP, "{}", '{"networks": 3}', '{"networks": [{"file": 1}]}', "\x1b[31m"]


@pytest.mark.parametrize("text", MANIFESTS, ids=range(len(MANIFESTS)))
def test_manifests(invoke, tmp_path, text):
    (tmp_path / "m.json").write_text(text)
    path = tmp_path / "x.toml"
    path.write_text(f'domain.box = [0, 1]\nnetworks.manifest = "m.json"\n{METHOD}')
    assert "m.json is not a manifest" in refused(invoke("sweep", path, "--quiet"))


LINES = [
    '{"key": ' + "[" * DEEP + "]" * DEEP + "}",
    '{"key": ["a"]}',
    '{"key": "a", "lower": "nine"}',
    '{"key": "a", "lower": 5}',
    f'{{"key": "a", "lower": "{"9" * 5000}"}}',
    '{"key": "a", "options": 1}',
    '{"key": "a", "bounds": [1]}',
    '{"key": "a"}',
    '{"key": "a", "n1": 1, "fingerprint": "f"}',
]


@pytest.mark.parametrize("number", range(len(LINES)))
@pytest.mark.parametrize("end", ["\n", ""], ids=["whole", "torn"])
def test_stores(invoke, tmp_path, number, end):
    path = tmp_path / "x.jsonl"
    path.write_text(LINES[number] + end)
    line = refused(invoke("plot", "bounds", path, "-o", tmp_path / "x.pdf"))
    assert "x.jsonl" in line
    assert "holds no results" in line or "lacks 'n2'" in line


def test_architectures(invoke):
    line = refused(invoke("bound", "10-1000000x10000"))
    assert "10,000,000,000 pre-activations, and 100,000,000 are the most" in line
    assert r"architecture '\x1b[31m': " in refused(invoke("bound", "\x1b[31m"))
