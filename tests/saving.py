"""Detectors with all that a file of one has to hold, what they say, and how a file is refused."""

from __future__ import annotations

import json
import os
import warnings

import numpy as np
import pandas as pd
import pytest

import driftlock as dl
from driftlock.store import REGISTRY, archive
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


OPTIONS = {
    "default": {},
    "entity": {"entity": ["device", "member"], "alpha": 0.1, "control": "fpr"},
    "clean": {"clean": True, "fields": {"rate": "category", "5": "text"}},
    "split": {"calibration": "split", "tail": False, "rng": 3},
    "cross": {"calibration": "cross", "control": "fwer", "rng": np.int64(4)},
    "loo": {"calibration": "loo", "control": "storey", "entity": "device"},
}


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


def refused(path, words: str | None = None) -> str:
    """The message with which a file is refused; it names the file."""
    with pytest.raises(dl.FileError, match=words) as caught:
        dl.Detector.load(path)
    assert str(caught.value).startswith(f"{os.fspath(path)}: ")
    assert str(caught.value).count(os.fspath(path)) == 1
    return str(caught.value)


def back(value):
    writer = Writer(REGISTRY)
    node = json.loads(json.dumps(writer.node(value), allow_nan=False))
    arrays = {f"a{i}": archive._from_npy(archive._to_npy(a)) for i, a in enumerate(writer.arrays)}
    return Reader(REGISTRY, arrays).value(node)
