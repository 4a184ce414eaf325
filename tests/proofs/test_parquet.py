"""Kept regions as Parquet: lossless, readable by others, refused where it cannot be."""

import json
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount.errors import FileFormatError, NetworkError, NotInstalledError
from milpcount.network import piecewise_linear
from tests.networks import network, random_network
from tests.partition.two_inputs import networks

NET = network([np.eye(2)], [[0.5, 0.5]])


def test_without_pyarrow(monkeypatch, tmp_path):
    found = mc.partition(NET, mc.Box(-1, 1))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    path = tmp_path / "regions.parquet"
    for refused in (lambda: mc.save_partition(found, path), lambda: mc.load_partition(path, NET)):
        path.touch()
        with pytest.raises(NotInstalledError, match=r"\.npz file has the same.*milpcount\[parquet"):
            refused()
    assert path.stat().st_size == 0  # nothing was written


class TestWithPyarrow:
    pq = None

    @pytest.fixture(autouse=True)
    def _pyarrow(self):
        pytest.importorskip("pyarrow", reason="no pyarrow is installed")
        from pyarrow import parquet

        TestWithPyarrow.pq = parquet

    def test_what_is_in_the_file(self, tmp_path):
        path = tmp_path / "regions.parquet"
        found = mc.partition(NET, mc.Box(-1, 1))
        mc.save_partition(found, path)
        table = self.pq.read_table(path)
        assert table.column_names == ["pattern", "witness", "rational"]
        assert [tuple(p) for p in table["pattern"].to_pylist()] == [r.pattern for r in found]
        assert table["rational"].null_count == len(found) == 4
        about = json.loads(table.schema.metadata[b"milpcount"])
        assert json.loads(about["metadata"]["values"][0])["fingerprint"] == NET.fingerprint

    @settings(
        max_examples=25, deadline=None, derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )  # fmt: skip
    @given(seed=st.integers(0, 10**6), kind=st.sampled_from(["box", "rows", "section", "space"]))
    def test_saved_and_loaded_partitions_are_equal(self, tmp_path, seed, kind):
        _, net = next(networks(1, seed))
        domain = {
            "box": mc.Box([-1, Fraction(-1, 3)], [0.1, 2]),
            "rows": mc.Polytope([[1, 1], [-1, 0.3]], [1, 0.7], [-2, -2], [2, 2]),
            "section": mc.Section([0.1, 0], [[Fraction(1, 3), 1]], mc.Box(-1, 2)),
            "space": mc.Unbounded(),
        }[kind]
        found = mc.partition(net, domain)
        one, other = tmp_path / "p.npz", tmp_path / "p.parquet"
        mc.save_partition(found, one)
        mc.save_partition(found, other)
        again = mc.load_partition(other, net)
        assert again == found == mc.load_partition(one, net)
        assert again.result.to_record() == found.result.to_record()
        assert again.domain.title == domain.title
        assert again.result.verify()

    def test_points_that_float64_has_not(self, tmp_path):
        # between 1 and 1 + 2^-50 / 7 there is no float64 number
        net = mc.Network.from_arrays([[[1.0], [7.0]]], [[-1.0, -7.0 - 2.0**-50]], output=False)
        found = mc.partition(net, mc.Box(0, 2))
        assert any(region.witness.dtype == object for region in found)
        path = tmp_path / "p.parquet"
        mc.save_partition(found, path)
        again = mc.load_partition(path, net)
        assert again == found and again.result.verify()

    def test_pieces_beyond_a_byte_inputs_by_the_hundred_and_no_units(self, tmp_path):
        path = tmp_path / "p.parquet"
        ends = [float(k) for k in range(300)]
        zigzag = piecewise_linear(ends, [float(k % 2) for k in range(301)], [0.0] * 301)
        many = mc.Network.from_arrays([[[1.0]]], [[0.0]], output=False, activation=zigzag)
        wide, none = random_network(0, 300, (4, 3)), mc.Network.from_arrays([[[1.0]]], [[0.0]])
        for net, domain in ((many, mc.Box(-1, 300)), (wide, mc.Box(-1, 1)), (none, mc.Box(-1, 1))):
            found = mc.partition(net, domain)
            mc.save_partition(found, path)
            assert mc.load_partition(path, net) == found
        assert self.pq.read_schema(path).names == ["pattern", "witness", "rational"]

    def test_counts_are_kept_too(self, tmp_path):
        path = tmp_path / "p.parquet"
        for name in ("activation_patterns", "linear_regions", "boundary_pieces"):
            result = mc.count(NET, mc.Box(-1, 1), quantity=name, keep_regions=True)
            mc.save_regions(result, path)
            again = mc.load_regions(path, NET)
            assert again.quantity is result.quantity and again.verify() == result.verify()

    def test_what_is_refused(self, tmp_path):
        path = tmp_path / "p.parquet"
        path.write_bytes(b"PAR1 and nothing else")
        with pytest.raises(FileFormatError, match="damaged"):
            mc.load_partition(path, NET)
        import pyarrow as pa

        self.pq.write_table(pa.table({"a": [1, 2]}), path)
        with pytest.raises(FileFormatError, match="no metadata of milpcount"):
            mc.load_partition(path, NET)
        found = mc.partition(NET, mc.Box(-1, 1))
        mc.save_partition(found, path)
        with pytest.raises(NetworkError):
            mc.load_partition(path, network([np.eye(2)], [[0.5, 0.25]]))
        table = self.pq.read_table(path)
        short = table.set_column(0, "pattern", pa.array([[0, 0], [1], [0, 1], [1, 1]]))
        self.pq.write_table(short, path)
        with pytest.raises(FileFormatError, match="not of one length"):
            mc.load_partition(path, NET)
