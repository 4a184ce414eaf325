import pytest

from milpcount.store import Store

pytest.importorskip("matplotlib")


def line(n1, seed, method, **more):
    """A line as a sweep leaves it."""
    options = {"xor_size": more.pop("xor_size")} if "xor_size" in more else {}
    return {
        "key": f"{n1} {seed} {method} {options}", "subject": f"784-{n1}-{22 - n1} #{seed}",
        "method": method, "options": options, "seed": 0, "quantity": "activation_regions",
        "domain": "box [0, 1]", "n1": n1, "n2": 22 - n1, "network_seed": seed,
        "train_error": 0.3 / n1, "test_error": 0.4 / n1 + 0.001 * seed,
        "fingerprint": f"{n1} {seed}", "seconds": 2.0 * n1, "cpu_seconds": 1.0 * n1,
        "status": "complete", "milpcount": "0.1.0", "machine": "2 x a processor",
        "finished": f"2026-01-0{seed + 1}T00:00:00+00:00", **more,
    }  # fmt: skip


def lines():
    """A small sweep: counts are 10^n1, three networks each of three widths."""
    for n1 in (1, 3, 5):
        for seed in range(3):
            exact = 10**n1 + seed
            count = {"lower": str(exact), "upper": str(exact), "exact": True}
            yield line(n1, seed, "tree", **count)
            bounds = {"naive": str(2**22), "montufar2017": "4000000", "serra2018": "3000000",
                      "serra2020": str(2 * exact)}  # fmt: skip
            yield line(n1, seed, "bounds", bounds=bounds)
            sure = {"upper": "3000000", "exact": False, "confidence": 0.95}
            yield line(n1, seed, "probe", lower=str(exact - 1), estimate=str(exact), **sure)
            for size in (2, 3, 4, 5):
                yield line(n1, seed, "mbound", lower=str(exact // 8), xor_size=size, **sure)


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "store.jsonl")
    for record in lines():
        store.add(record)
    return store
