"""The file of a detector: what it is made of, and no file is taken for what it is not."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import zipfile

import numpy as np
import pandas as pd
import pytest
from saving import TEXT, refused, results

import driftlock as dl
from driftlock.coders import RowCoder
from driftlock.store import archive


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
