"""Run the mutants, each against the test that must notice it: ``python -m tests.mutants.run``.

The project is copied to a temporary folder for each of two workers. First the named tests run there
as they are: they must pass. Then one change at a time is made and its test run; a mutant is killed
if the test fails, and alive if it passes. One whose test does neither, since a name is wrong or the
file cannot even be imported, is neither. Ends with 1 if one is not killed.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from tests.mutants.entries import ROOT, Mutant, mutants

_COPIED = ("milpcount", "tests", "experiments", "docs", "data")
_SECONDS, _ALL_SECONDS, _SUITE_SECONDS = 150, 900, 3600
KILLED, ALIVE, SLOW, BROKEN = "killed", "ALIVE", "TIMEOUT", "BROKEN"
_SUITE = ["-m", "not slow", "--ignore=tests/mutants", "tests"]


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant; the last lines its test printed, unless it was killed."""

    verdict: str
    seconds: float
    said: str = ""


class Copy:
    """The project in a temporary folder.

    Parameters
    ----------
    folder : Path
    whole_suite : bool
        Run the fast tests in place of the one that is named.
    """

    def __init__(self, folder: Path, whole_suite: bool) -> None:
        self._folder, self._whole = folder, whole_suite
        leave = shutil.ignore_patterns("__pycache__", "*.proof")
        for name in _COPIED:
            shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=leave)
        for path in (*ROOT.glob("*.toml"), *ROOT.glob("*.md"), ROOT / "Makefile"):
            shutil.copy(path, folder)
        # Compiled files are known by what they were made of, not by the second of a change.
        how = [
            "-m",
            "compileall",
            "-q",
            "--invalidation-mode",
            "checked-hash",
            "milpcount",
            "tests",
        ]
        subprocess.run([sys.executable, *how], cwd=folder, check=True)

    def test(self, names: Sequence[str], *, as_python: bool, seconds: float = _SECONDS) -> Outcome:
        """Run some tests on the copy as it is."""
        environment = {
            **os.environ,
            "PYTHONPATH": str(self._folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "NUMBA_CACHE_DIR": str(ROOT / "milpcount" / "kernel" / "__pycache__"),
            "NUMBA_DISABLE_JIT": "1" if as_python and not self._whole else "0",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }
        chosen = _SUITE if self._whole else names
        plain = ["-n0", "-mnot slow", "-x", "-q", "--no-header", "-pno:cacheprovider"]
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *plain, *chosen],
            cwd=self._folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            limit = _SUITE_SECONDS if self._whole else seconds
            said, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return Outcome(SLOW, time.monotonic() - began)
        verdict = {0: ALIVE, 1: KILLED}.get(process.returncode, BROKEN)
        if verdict == KILLED and "0 failed" not in said and " failed" not in said:
            verdict = BROKEN  # an error before any test
        return Outcome(verdict, time.monotonic() - began, said[-1500:])

    def run(self, mutant: Mutant) -> Outcome:
        """Make a change, run its test and take the change back."""
        path = self._folder / mutant.file
        text = path.read_text(encoding="utf-8")
        path.write_text(mutant.applied(text), encoding="utf-8")
        try:
            found = self.test([mutant.killed_by], as_python=mutant.as_python)
        finally:
            path.write_text(text, encoding="utf-8")
        if found.verdict == SLOW and mutant.timeout:
            return Outcome(KILLED, found.seconds)
        return found


def unmutated(copies: Sequence[Copy], chosen: Sequence[Mutant]) -> bool:
    """Return whether the named tests pass on the project as it is; print what does not."""
    wanted = [
        (sorted({m.killed_by for m in chosen if m.as_python == as_python}), as_python)
        for as_python in (True, False)
    ]
    with ThreadPoolExecutor(len(copies)) as pool:
        runs = [
            pool.submit(
                copies[i % len(copies)].test, names, as_python=as_python, seconds=_ALL_SECONDS
            )
            for i, (names, as_python) in enumerate(wanted)
            if names
        ]
        found = [run.result() for run in runs]
    for outcome in found:
        if outcome.verdict != ALIVE:
            print(outcome.said or "the tests take too long", flush=True)
    return all(outcome.verdict == ALIVE for outcome in found)


def main(given: Sequence[str] | None = None) -> int:
    """Run what is asked for; return 1 if a mutant is not killed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--part", action="store_true", help="those of every change of the project")
    parser.add_argument("--suite", action="store_true", help="against all fast tests: hours")
    parser.add_argument("--only", metavar="TEXT", nargs="+", help="those whose titles have one")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(given)
    every = mutants()
    chosen = [m for m in every if not m.is_speed]
    if options.only:
        chosen = [m for m in chosen if any(t in f"{m.group} {m.title}" for t in options.only)]
    if options.part:
        chosen = [m for m in chosen if m.part]
    stale = [m for m in chosen if m.fault]
    for mutant in stale:
        print(f"{mutant.group}.toml: {mutant.title}: {mutant.fault}")
    if stale:
        return 1
    if not chosen:
        print("no such mutant")
        return 1
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copies = [Copy(Path(folder) / str(k), options.suite) for k in range(options.workers)]
        if not options.suite and not unmutated(copies, chosen):
            print("a named test fails on the project as it is: nothing was mutated")
            return 1
        free = SimpleQueue[Copy]()
        for copy in copies:
            free.put(copy)

        def run(mutant: Mutant) -> Outcome:
            copy = free.get()
            try:
                outcome = copy.run(mutant)
            finally:
                free.put(copy)
            by = "the fast tests" if options.suite else mutant.killed_by.removeprefix("tests/")
            print(f"{outcome.verdict:7} {outcome.seconds:5.1f} s  {mutant.title}  [{by}]")
            if outcome.verdict == BROKEN:
                print(outcome.said)
            sys.stdout.flush()
            return outcome

        with ThreadPoolExecutor(options.workers) as pool:
            outcomes = list(pool.map(run, chosen))
    killed = sum(outcome.verdict == KILLED for outcome in outcomes)
    print(f"{killed} of {len(chosen)} mutants killed in {time.monotonic() - began:.0f} s")
    return 0 if killed == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
