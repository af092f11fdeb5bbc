"""Saved detectors: the same results in another process, and the same bytes when saved again."""

from __future__ import annotations

import hashlib
import importlib
import pickle
import pkgutil
import subprocess
import sys
from dataclasses import fields
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from saving import EVENTS, NORMAL, OPTIONS, results

import driftlock as dl
from driftlock import _kernels
from driftlock.store import REGISTRY, archive


@pytest.mark.parametrize("name", OPTIONS)
def test_a_loaded_detector_says_the_same_and_is_saved_as_the_same_bytes(fitted, tmp_path, name):
    path, again = tmp_path / "one.npz", tmp_path / "two"
    assert fitted[name].save(path) is None
    loaded = dl.Detector.load(str(path))
    options = fitted[name].get_params()
    assert loaded.get_params() == options
    assert {k: type(v) for k, v in loaded.get_params().items()} == {
        k: type(v) for k, v in options.items()
    }
    assert results(loaded) == results(fitted[name])
    loaded.save(again)  # after use: nothing writes to what was learned
    fitted[name].save(path)
    assert again.read_bytes() == path.read_bytes()


def test_the_same_in_a_new_process(fitted, tmp_path):
    for name, detector in fitted.items():
        detector.save(tmp_path / f"{name}.npz")
    (tmp_path / "events").write_bytes(pickle.dumps(EVENTS))
    code = (
        "import pickle, pathlib, sys, hashlib; sys.path.insert(0, sys.argv[2])\n"
        "import driftlock as dl\n"
        "from test_store import results\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "events = pickle.loads((folder / 'events').read_bytes())\n"
        "for path in sorted(folder.glob('*.npz')):\n"
        "    told = results(dl.Detector.load(path), events)\n"
        "    print(path.stem, hashlib.sha256(told).hexdigest())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        check=True,
    )
    expected = [
        f"{name} {hashlib.sha256(results(detector)).hexdigest()}"
        for name, detector in sorted(fitted.items())
    ]
    assert sorted(done.stdout.splitlines()) == sorted(expected)


def test_a_baseline_row_among_the_tested_is_still_noticed(fitted, saved, tmp_path):
    path = tmp_path / "d.npz"
    path.write_bytes(saved)
    with pytest.warns(dl.DriftlockWarning, match="also stand in the baseline"):
        dl.Detector.load(path).detect(NORMAL[:10])


def walk(value):
    """Every array and every object within an object."""
    yield value
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    elif hasattr(value, "__dataclass_fields__"):
        value = [getattr(value, f.name) for f in fields(value)]
    for part in value if isinstance(value, (list, tuple)) else ():
        yield from walk(part)


@pytest.mark.parametrize("name", OPTIONS)
def test_arrays_come_back_as_kernels_know_them(fitted, tmp_path, name):
    path = tmp_path / "d.npz"
    fitted[name].save(path)
    here, there = (
        [part for part in walk(d._fitted) if isinstance(part, (np.ndarray, np.generic, float, int))]
        for d in (fitted[name], dl.Detector.load(path))
    )
    assert len(here) == len(there) > 100
    for one, other in zip(here, there):
        assert type(one) is type(other)
        np.testing.assert_array_equal(one, other)
        if isinstance(one, np.ndarray):
            assert one.dtype is other.dtype or one.dtype == other.dtype
            assert other.dtype.isnative
            assert one.shape == other.shape
            assert one.flags.c_contiguous
            assert other.flags.c_contiguous
            assert other.flags.writeable
            assert other.flags.aligned


@pytest.mark.jit
@pytest.mark.parametrize("name", OPTIONS)
def test_kernels_keep_their_one_signature(fitted, tmp_path, name):
    def signatures():
        return {
            f"{module.name}.{kernel}": list(thing.signatures)
            for module in pkgutil.iter_modules(_kernels.__path__)
            for kernel, thing in vars(
                importlib.import_module(f"driftlock._kernels.{module.name}")
            ).items()
            if hasattr(thing, "signatures")
        }

    results(fitted[name])
    before = signatures()
    assert sum(map(bool, before.values())) > 10
    fitted[name].save(tmp_path / "d.npz")
    results(dl.Detector.load(tmp_path / "d.npz"))
    assert signatures() == before


def test_a_generator_is_saved_as_the_seed_that_it_gave(tmp_path):
    detector = dl.Detector(calibration="split", rng=np.random.default_rng(9)).fit(NORMAL[["rate"]])
    detector.save(tmp_path / "d.npz")
    loaded = dl.Detector.load(tmp_path / "d.npz")
    assert loaded.rng == loaded.seed_ == detector.seed_
    detector.set_params(rng=detector.seed_)  # which says the same of itself, and is fitted already
    assert results(loaded, EVENTS[["rate"]]) == results(detector, EVENTS[["rate"]])


def test_an_unfitted_detector_is_not_saved(tmp_path):
    with pytest.raises(dl.NotFittedError):
        dl.Detector().save(tmp_path / "d.npz")
    assert not list(tmp_path.iterdir())


def test_an_option_without_a_place_in_a_file_is_an_error(tmp_path):
    detector = dl.Detector(alpha=Fraction(1, 20)).fit(NORMAL[["rate"]])
    with pytest.raises(dl.FileError, match=r"d\.npz: .*Fraction\(1, 20\) is a Fraction"):
        detector.save(tmp_path / "d.npz")
    assert not list(tmp_path.iterdir())


def test_the_format_has_the_fields_that_its_version_says():
    """A class of the registry with other fields is another format: raise `archive.VERSION`.

    Version 2 has the fields of 1; a model may have the blocks of `driftlock.coders.SUMS`.
    """
    layout = sorted(f"{name}: {[f.name for f in fields(cls)]}" for name, cls in REGISTRY.items())
    digest = hashlib.sha256("\n".join(layout).encode()).hexdigest()
    assert (archive.VERSION, digest[:16]) == (2, "88f50337f4702a79")


def test_every_dataclass_of_a_detector_is_registered(fitted):
    used = {
        type(part).__name__
        for detector in fitted.values()
        for part in walk(detector._fitted)
        if hasattr(part, "__dataclass_fields__")
    }
    assert used == set(REGISTRY)
