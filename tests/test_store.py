"""Saved detectors: the same results in another process, and no file taken for what it is not."""

from __future__ import annotations

import hashlib
import importlib
import io
import json
import os
import pickle
import pkgutil
import signal
import subprocess
import sys
import time
import warnings
import zipfile
from dataclasses import fields
from datetime import UTC, timedelta, timezone
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from dateutil import tz
from hypothesis import given
from hypothesis import strategies as st

import driftlock as dl
from driftlock import _kernels
from driftlock.baseline import Overlap
from driftlock.coders import RowCoder
from driftlock.fields.typed import TimeField
from driftlock.store import REGISTRY, archive
from driftlock.store.labels import UnstorableError
from driftlock.store.nodes import Reader, Writer

N, M = 64, 12
TEXT = "driftlock.jsonl"


def table(n: int, seed: int) -> pd.DataFrame:
    """A column of every kind, with what is awkward in each."""
    rng = np.random.default_rng(seed)
    amount = rng.lognormal(3, 1, n).round(2)
    paid = amount.copy()
    amount[:4] = [0.0, -amount[1], np.inf, np.nan]
    shop = rng.choice(["b\ud83d", "\ud83d\ude00", "\U0001f600", "caf\u00e9"], n).tolist()
    notes = [f"paid {x:.0f} at till {k} of {n}" for x, k in zip(paid, rng.integers(0, 9, n))]
    device = [f"d{ord(name[0]) % 7}" if rng.random() < 0.9 else "d0" for name in shop]
    when = pd.Timestamp("2024-03-01", tz="Europe/Berlin") + pd.to_timedelta(
        rng.integers(0, 86400 * 30, n), unit="s"
    )
    return pd.DataFrame(
        {
            "amount": amount,
            "rate": rng.normal(size=n),
            "shop": pd.Series(shop, dtype=object),
            "member": rng.choice([True, False], n),
            "when": when,
            "note": notes,
            "paid": [f"{x:,.2f} \u20ac" for x in paid],
            "day": when.strftime("%d.%m.%Y"),
            "steps": [" ".join(map(str, rng.integers(1, 6, 12))) for _ in range(n)],
            "meta": [
                {"card": {"kind": str(rng.choice(["a", "b"]))}, "n": int(rng.integers(0, 99))}
                for _ in range(n)
            ],
            "key": [f"{rng.integers(16**8):08x}" for _ in range(n)],
            "device": device,
            5: rng.integers(0, 3, n),
        },
    )


NORMAL = table(N, 1)
EVENTS = table(M, 2).set_index(np.arange(1000, 1000 + M))


def results(detector: dl.Detector, events: pd.DataFrame = EVENTS) -> bytes:
    """Everything that a detector says, to the bit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dl.DriftlockWarning)
        found = detector.detect(events)
        told = [
            detector.decision_function(events).tobytes(),
            detector.predict(events).tobytes(),
            detector.decision_scores_.tobytes(),
            repr(detector.threshold_),
            detector.schema_.to_csv(),
            found.table.to_csv(float_format=float.hex),
            found.fields.to_csv(float_format=float.hex),
            [str(found.explain(position=i)) for i in range(2)],
            str(detector.plan(5)),
            found.summary(),
            (detector.calibration_, detector.dropped_.tolist(), detector.seed_),
            (detector.feature_names_in_.tolist(), detector.n_features_in_, repr(detector)),
        ]
    return repr(told).encode("utf-8", "backslashreplace")


OPTIONS = {
    "default": {},
    "entity": {"entity": ["device", "member"], "alpha": 0.1, "control": "fpr"},
    "clean": {"clean": True, "fields": {"rate": "category", "5": "text"}},
    "split": {"calibration": "split", "tail": False, "rng": 3},
    "cross": {"calibration": "cross", "control": "fwer", "rng": np.int64(4)},
    "loo": {"calibration": "loo", "control": "storey", "entity": "device"},
}


@pytest.fixture(scope="module")
def fitted() -> dict[str, dl.Detector]:
    with np.errstate(over="ignore"):  # as everywhere where kernels run as plain Python
        return {name: dl.Detector(**options).fit(NORMAL) for name, options in OPTIONS.items()}


@pytest.fixture(scope="module")
def saved(fitted, tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("saved") / "detector.npz"
    fitted["default"].save(path)
    return path.read_bytes()


def refused(path, words: str | None = None) -> str:
    """The message with which a file is refused; it names the file."""
    with pytest.raises(dl.FileError, match=words) as caught:
        dl.Detector.load(path)
    assert str(caught.value).startswith(f"{os.fspath(path)}: ")
    assert str(caught.value).count(os.fspath(path)) == 1
    return str(caught.value)


# ------------------------------------------------------------------ the same detector


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


# ------------------------------------------------------------------ nodes


def back(value):
    writer = Writer(REGISTRY)
    node = json.loads(json.dumps(writer.node(value), allow_nan=False))
    arrays = {f"a{i}": archive._from_npy(archive._to_npy(a)) for i, a in enumerate(writer.arrays)}
    return Reader(REGISTRY, arrays).value(node)


def same(one, other) -> bool:
    """Equal to the bit, type by type; one NaN is as good as another."""
    if type(one) is not type(other):
        return False
    if isinstance(one, (float, np.floating)):
        if np.isnan(one):
            return bool(np.isnan(other))
        return np.float64(one).tobytes() == np.float64(other).tobytes()
    if isinstance(one, dict):
        one, other = list(one.items()), list(other.items())
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True)
    | st.text(st.characters(exclude_categories=()))
    | st.binary()
)
hashable = scalars.filter(lambda value: value == value)  # noqa: PLR0124  (NaN is no key)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.lists(st.tuples(hashable, inner)).map(dict)
        | st.frozensets(st.text())
    ),
    max_leaves=20,
)


@given(values)
def test_values_come_back_exactly(value):
    assert same(value, back(value))


@pytest.mark.parametrize(
    "dtype", ["bool", "int8", "uint8", "int64", "uint64", "float32", "float64"]
)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (0, 4), (2, 3), (1, 3), (3, 1)])
def test_arrays_come_back_exactly(dtype, shape):
    array = np.arange(np.prod(shape, dtype=int), dtype="f8").reshape(shape).astype(dtype)
    for given_array in (array, np.asfortranarray(array), array[..., ::-1] if shape else array):
        found = back(given_array)
        assert found.dtype == array.dtype
        assert found.shape == given_array.shape
        assert found.flags.c_contiguous
        assert found.flags.writeable
        np.testing.assert_array_equal(found, given_array)
    read_only = array.copy()
    read_only.flags.writeable = False
    assert back(read_only).flags.writeable
    swapped = array.astype(array.dtype.newbyteorder())
    assert back(swapped).dtype.isnative
    np.testing.assert_array_equal(back(swapped), array)


def test_floats_without_a_number_in_json_and_scalars_of_numpy():
    for value in (-0.0, np.nan, -np.inf, 5e-324, 1e308, 5.0, np.float32(0.1), np.float64(-0.0)):
        assert same(value, back(value))
    for value in (np.int8(3), np.bool_(True), np.uint64(2**64 - 1)):
        assert type(back(value)) is type(value)
        assert back(value) == value
    assert same(np.float64(np.nan), back(np.float64(np.nan)))


@pytest.mark.parametrize(
    "value", [object(), np.array([None]), np.array(["a"]), np.datetime64(1, "s"), 1j, {1, 2}, dl]
)
def test_what_has_no_place_in_a_file_is_refused(value):
    with pytest.raises(UnstorableError):
        back(value)


@pytest.mark.parametrize(
    "node",
    [
        {"is": "os.system", "of": ["true"]},
        {"is": "Detector", "of": {}},
        {"is": "Decision", "of": {"kind": "id"}},
        {"is": "Decision", "of": {"kind": "id", "reason": "", "unit": None, "more": 1}},
        {"is": "Decision", "of": []},
        {"is": "tuple"},
        {"is": "tuple", "of": [], "and": 0},
        {"is": "dict", "of": [["a", 1], ["a", 2]]},
        {"is": "scalar", "of": ["O", 1]},
        {"is": "zone", "of": {"is": "dict", "of": [["library", "os"], ["name", "UTC"]]}},
        {"is": "zone", "of": {"is": "dict", "of": [["library", "dateutil"], ["name", "/etc/x"]]}},
        {"is": "labels", "of": {"is": "dict", "of": [["kind", "pickle"], ["values", []]]}},
    ],
)
def test_nodes_that_mean_nothing_are_refused(node):
    with pytest.raises(UnstorableError):
        Reader(REGISTRY, {}).value(node)


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


# ------------------------------------------------------------------ zones and labels

ZONES = [
    ZoneInfo("America/New_York"),
    ZoneInfo("UTC"),
    UTC,
    timezone(timedelta(hours=-3, minutes=-30)),
    timezone(timedelta(hours=2), "two"),
    tz.gettz("Asia/Kolkata"),
    tz.gettz("Europe/Berlin"),
    tz.tzutc(),
    tz.tzoffset("x", 3600),
]


@pytest.mark.parametrize("zone", ZONES, ids=repr)
def test_zones_come_back_as_the_same_clock(zone):
    found = back(TimeField("when", zone, None, True, ("hour",), np.zeros(24, np.int64))).zone
    instants = pd.date_range("1950-01-01", "2060-01-01", freq="37h", tz="UTC")
    try:
        expected = instants.tz_convert(zone).tz_localize(None)
    except AttributeError:
        pytest.skip("this pandas cannot convert to zones of the installed dateutil")
    assert (instants.tz_convert(found).tz_localize(None) == expected).all()


def test_zones_of_pytz_come_back():
    pytz = pytest.importorskip("pytz")
    for zone in (pytz.timezone("Europe/Berlin"), pytz.utc, pytz.FixedOffset(90)):
        found = back(zone)
        instants = pd.date_range("1950-01-01", "2060-01-01", freq="37h", tz="UTC")
        local = [instants.tz_convert(z).tz_localize(None) for z in (zone, found)]
        assert (local[0] == local[1]).all()


ZONE_FILE = Path("/usr/share/zoneinfo/Europe/Berlin")


@pytest.mark.skipif(not ZONE_FILE.exists(), reason="no files of zones here")
def test_a_zone_without_a_name_is_an_error_that_says_what_to_do(tmp_path):
    with ZONE_FILE.open("rb") as file:
        zone = ZoneInfo.from_file(file)
    events = pd.DataFrame({"when": NORMAL["when"].dt.tz_convert(zone)})
    detector = dl.Detector().fit(events)
    with pytest.raises(dl.FileError, match=r"d\.npz: .* has no name .*tz_convert"):
        detector.save(tmp_path / "d.npz")


def test_a_zone_that_this_machine_lacks_is_an_error():
    plain = {"is": "dict", "of": [["library", "zoneinfo"], ["name", "Mars/Olympus"]]}
    with pytest.raises(UnstorableError, match="tzdata"):
        Reader(REGISTRY, {}).value({"is": "zone", "of": plain})


LABELS = [
    pd.RangeIndex(5),
    pd.RangeIndex(0),
    pd.Index([3, 1, 2], dtype="int32"),
    pd.Index([0.5, -0.0, np.nan]),
    pd.Index([True, False]),
    pd.Index(["a", "b\ud83d"], dtype=object),
    pd.Index(["a", None, "c"], dtype="string"),
    pd.Index(["a", "b"]),
    pd.Index([1, "a", None, 2.5, (1, "x"), b"y"], dtype=object),
    pd.date_range("2024-03-30", periods=4, freq="7h", tz="Europe/Berlin"),
    pd.DatetimeIndex(["2024-01-01", None]).as_unit("ms"),
    pd.to_timedelta([1, 2], unit="s"),
    pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["x", "y"]),
    pd.MultiIndex.from_product([["a"], pd.date_range("2024", periods=2)]),
]


@pytest.mark.parametrize("labels", LABELS, ids=lambda labels: type(labels).__name__)
def test_labels_come_back(labels):
    found = back(Overlap(labels, np.zeros(len(labels), np.uint64))).labels
    assert found.equals(labels)
    assert str(found.dtype) == str(labels.dtype)
    assert (labels.get_indexer(found) == np.arange(len(labels))).all()


@pytest.mark.parametrize(
    "labels",
    [
        pd.period_range("2024-01", periods=N, freq="D"),
        pd.interval_range(0, N),
        pd.CategoricalIndex([f"row {i}" for i in range(N)]),
        pd.Index([Fraction(i) for i in range(N)], dtype=object),
    ],
    ids=lambda labels: type(labels).__name__,
)
def test_labels_without_a_place_in_a_file_are_left_out_with_a_warning(tmp_path, labels):
    frame = NORMAL[["rate", "shop"]].set_index(labels)
    detector = dl.Detector().fit(frame)
    with pytest.warns(dl.DriftlockWarning, match=r"d\.npz: .*cannot tell whether") as caught:
        detector.save(tmp_path / "d.npz")
    assert caught[0].filename == __file__
    loaded = dl.Detector.load(tmp_path / "d.npz")
    assert len(loaded.detect(frame[:3])) == 3  # and no warning, as was said
    assert results(loaded, EVENTS[["rate", "shop"]]) == results(detector, EVENTS[["rate", "shop"]])


# ------------------------------------------------------------------ the file


def test_the_file_can_be_read_without_driftlock(saved):
    """As docs/saving.md describes it."""
    with zipfile.ZipFile(io.BytesIO(saved)) as zipped:
        head, body = zipped.read(TEXT).splitlines()
        head, hashes = json.loads(head), json.loads(body)["arrays"]
        assert head["format"] == "driftlock detector"
        assert head["version"] == 2
        assert head["library"] == dl.__version__
        assert head["sha256"] == hashlib.sha256(body).hexdigest()
        assert zipped.namelist() == [TEXT, *hashes]
        for name, digest in hashes.items():
            assert hashlib.sha256(zipped.read(name)).hexdigest() == digest
    assert saved[-64:].decode() == hashlib.sha256(saved[:-64]).hexdigest()
    with np.load(io.BytesIO(saved), allow_pickle=False) as arrays:
        assert all(arrays[name.removesuffix(".npy")].size >= 0 for name in hashes)
    scores = json.loads(body)["fitted"]["of"]["calibrated"]["of"]["scores"]["of"]["total"]
    assert scores["is"] == "array"


def test_a_byte_changed_anywhere_is_noticed(saved, tmp_path):
    path = tmp_path / "d.npz"
    rng = np.random.default_rng(5)
    ends = [*range(60), *range(len(saved) - 200, len(saved))]
    for place in [*ends, *rng.integers(0, len(saved), 150).tolist()]:
        changed = bytearray(saved)
        changed[place] ^= int(rng.integers(1, 256))
        path.write_bytes(changed)
        refused(path)


def test_a_file_that_breaks_off_or_goes_on_is_noticed(saved, tmp_path):
    path = tmp_path / "d.npz"
    for length in [
        *range(0, 100, 7),
        *range(100, len(saved), 2003),
        *range(len(saved) - 90, len(saved)),
    ]:
        path.write_bytes(saved[:length])
        refused(path)
    for more in (b"\0", b"\n", saved):
        path.write_bytes(saved + more)
        refused(path)


def repacked(saved: bytes, change) -> bytes:
    """The file with other members and every hash made anew, but those that `change` makes."""
    with zipfile.ZipFile(io.BytesIO(saved)) as zipped:
        members = {name: zipped.read(name) for name in zipped.namelist()}
    members = change(members) or members
    data = archive._zipped(members, zipfile.ZIP_DEFLATED)
    return data + hashlib.sha256(data).hexdigest().encode()


def with_text(members, head=None, body=None, line=None):
    """Change what the text says, its own hash made anew."""
    first, second = members[TEXT].splitlines()
    first, second = json.loads(first), json.loads(second)
    second.update(body or {})
    line = line or json.dumps(second).encode()
    first["sha256"] = hashlib.sha256(line).hexdigest()
    first.update(head or {})
    members[TEXT] = json.dumps(first).encode() + b"\n" + line + b"\n"


def drop(members):
    del members["a3.npy"]


def add(members):
    members["more.npy"] = members["a3.npy"]


def swap(members):
    members["a3.npy"], members["a4.npy"] = members["a4.npy"], members["a3.npy"]


def no_text(members):
    members[TEXT] = b""


def other_text(members):
    members[TEXT] = members[TEXT].replace(b'"loo"', b'"cro"')


def own_array(data: bytes):
    """Put other bytes in place of an array, with the right hash."""

    def change(members):
        members["a3.npy"] = data
        second = json.loads(members[TEXT].splitlines()[1])
        hashes = second["arrays"] | {"a3.npy": hashlib.sha256(data).hexdigest()}
        with_text(members, body={"arrays": hashes})

    return change


def npy_of(array, **options) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, **options)
    return buffer.getvalue()


HUGE = npy_of(np.zeros(1)).replace(b"(1,)", b"(9999999999999,)")[: 128 + 8]
DEEP = b'{"options":' + b"[" * 100_000 + b"]" * 100_000 + b',"arrays":{}}'


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (drop, "lacks arrays"),
        (add, "holds others than its own"),
        (swap, r"array a3\.npy is not the one"),
        (no_text, "is damaged"),
        (other_text, r"driftlock\.jsonl is not the one"),
        (own_array(b"\x93NUMPY"), "is damaged"),
        (own_array(npy_of(np.array([None]), allow_pickle=True)), "no detector has"),
        (own_array(npy_of(np.array(["a"]))), "no detector has"),
        (own_array(npy_of(np.asfortranarray(np.ones((2, 3))))), "no detector has"),
        (own_array(npy_of(np.ones(2), version=(2, 0))), "another version"),
        (own_array(npy_of(np.ones(2))[:-1]), "shape"),
        (own_array(HUGE), "shape|damaged"),
        (lambda m: with_text(m, head={"format": "cake"}), "'cake'"),
        (lambda m: with_text(m, head={"version": 0}), "format"),
        (lambda m: with_text(m, head={"version": "1"}), "format"),
        (lambda m: with_text(m, head={"version": True}), "format"),
        (lambda m: with_text(m, body={"fitted": 3}), "something else"),
        (lambda m: with_text(m, body={"fitted": {"is": "nothing", "of": 3}}), "'nothing'"),
        (lambda m: with_text(m, body={"options": {"size": 3}}), "something else"),
        (lambda m: with_text(m, body={"options": [3]}), "no detector"),
        (lambda m: with_text(m, body={"arrays": {}}), "others than its own"),
        (lambda m: with_text(m, body={"arrays": sorted(set(m) - {TEXT})}), "is damaged"),
        (lambda m: with_text(m, line=b"[NaN]"), "is damaged"),
        (lambda m: with_text(m, line=b"[]"), "is damaged"),
        (lambda m: with_text(m, line=b"{"), "is damaged"),
        (lambda m: with_text(m, line=DEEP), "is damaged"),
    ],
)
def test_a_file_made_by_hand_is_refused_with_its_reason(saved, tmp_path, change, words):
    path = tmp_path / "d.npz"
    path.write_bytes(repacked(saved, change))
    refused(path, words)


def test_a_newer_format_asks_for_a_newer_driftlock(saved, tmp_path):
    path = tmp_path / "d.npz"
    newer = {"version": archive.VERSION + 1, "library": "9.8.7"}
    path.write_bytes(repacked(saved, lambda m: with_text(m, head=newer)))
    refused(path, r"version 3, written by driftlock 9\.8\.7; .* update driftlock")


def test_a_detector_of_format_1_scores_as_it_did(tmp_path, monkeypatch):
    """Then no lengths were summed; its file has no calibration for them, and needs none."""
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        {f"f{k}": rng.choice(list("abc"), 80, p=[0.7, 0.2, 0.1]) for k in range(5)}
    )
    path = tmp_path / "d.npz"
    with monkeypatch.context() as earlier:
        earlier.setattr(RowCoder, "is_summed", False)
        detector = dl.Detector().fit(frame[:60])
        expected = detector.decision_function(frame[60:])
        detector.save(path)
    path.write_bytes(repacked(path.read_bytes(), lambda m: with_text(m, head={"version": 1})))
    np.testing.assert_array_equal(dl.Detector.load(path).decision_function(frame[60:]), expected)
    now = dl.Detector().fit(frame[:60]).decision_function(frame[60:])
    assert (now != expected).any()


def test_another_library_version_of_the_same_format_loads(fitted, saved, tmp_path):
    path = tmp_path / "d.npz"
    path.write_bytes(repacked(saved, lambda m: with_text(m, head={"library": "0.0.1"})))
    assert results(dl.Detector.load(path)) == results(fitted["default"])


def test_an_option_that_the_file_lacks_has_its_default(saved, tmp_path):
    path = tmp_path / "d.npz"
    path.write_bytes(repacked(saved, lambda m: with_text(m, body={"options": {"alpha": 0.2}})))
    assert dl.Detector.load(path).get_params() == dl.Detector(alpha=0.2).get_params()


def test_what_claims_to_be_huge_is_refused_before_it_is_read(saved, tmp_path, monkeypatch):
    path = tmp_path / "d.npz"
    monkeypatch.setattr(archive, "LEVEL", 9)
    bomb = repacked(saved, lambda m: m | {"b.npy": bytes(archive.ROOM + 300 * len(saved))})
    assert len(bomb) < 2 * len(saved)
    path.write_bytes(bomb)
    refused(path, "claim to hold")


def test_what_grows_too_much_is_not_compressed(tmp_path):
    data = archive.pack({"options": {}}, [np.zeros(1 << 22)])
    assert len(data) > 1 << 25
    path = tmp_path / "d.npz"
    path.write_bytes(data)
    _, arrays = archive.unpack(path, "d.npz")
    assert arrays["a0"].size == 1 << 22


def npz_of_others() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, a=np.ones(3))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"a,b\n1,2\n", "looks like CSV"),
        (b'{"a": 1}', "looks like JSON"),
        (npz_of_others(), "looks like a zip archive"),
        (pickle.dumps(3), "no detector"),
        (bytes(100), "binary"),
        (b"PK\x03\x04", "zip"),
    ],
)
def test_foreign_files_are_refused(tmp_path, data, words):
    path = tmp_path / "d.npz"
    path.write_bytes(data)
    message = refused(path, words)
    assert "Detector.save" in message


def test_what_is_no_file_is_refused(tmp_path):
    refused(tmp_path / "gone.npz", "no such file")
    refused(tmp_path, "is a directory")
    refused(str(tmp_path / "gone" / "d.npz"), "no such file")


# ------------------------------------------------------------------ writing


@pytest.mark.parametrize("step", ["fsync", "replace", "write"])
@pytest.mark.parametrize("there", [True, False])
def test_a_failure_leaves_the_old_file_and_nothing_else(
    fitted, saved, tmp_path, monkeypatch, step, there
):
    path = tmp_path / "d.npz"
    if there:
        path.write_bytes(saved)

    def fail(*args, **options):
        raise OSError(28, "No space left on device")

    target = {
        "fsync": "driftlock.files.writing.os.fsync",
        "replace": "pathlib.Path.replace",
        "write": "pathlib.Path.open",
    }
    with monkeypatch.context() as patch:
        patch.setattr(target[step], fail)
        with pytest.raises(dl.FileError, match=r"d\.npz: cannot be written: No space left"):
            fitted["loo"].save(path)
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [saved] * there


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
def test_a_full_device_is_an_error(fitted):
    with pytest.raises(dl.FileError, match="/dev/full: cannot be written: No space left"):
        fitted["default"].save("/dev/full")


def test_a_folder_that_is_not_there_is_an_error(fitted, tmp_path):
    with pytest.raises(dl.FileError, match="cannot be written: No such file"):
        fitted["default"].save(tmp_path / "gone" / "d.npz")
    with pytest.raises(dl.FileError, match="cannot be written"):
        fitted["default"].save(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="no such permissions there")
def test_what_was_private_stays_private_and_links_are_followed(fitted, tmp_path):
    path, link = tmp_path / "d.npz", tmp_path / "link"
    path.touch(mode=0o600)
    link.symlink_to(path)
    fitted["default"].save(link)
    assert path.stat().st_mode & 0o777 == 0o600
    assert link.is_symlink()
    dl.Detector.load(path)


KILLED = """
import sys
import driftlock as dl
one = dl.Detector.load(sys.argv[1])
print("ready", flush=True)
while True:
    one.save(sys.argv[2])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_a_process_killed_while_saving_leaves_a_whole_file(fitted, saved, tmp_path):
    source, path = tmp_path / "source.npz", tmp_path / "folder" / "d.npz"
    path.parent.mkdir()
    source.write_bytes(saved)
    fitted["loo"].save(path)
    old = path.read_bytes()
    for wait in (0.0, 0.013, 0.031):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(source), str(path)], stdout=subprocess.PIPE
        )
        assert process.stdout.readline() == b"ready\n"
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert path.read_bytes() in (old, saved)
        for left in path.parent.iterdir():
            if left != path and left.read_bytes() != saved:  # a part, cut off where it was killed
                refused(left)
