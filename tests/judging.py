"""Tables and single columns for tests of odd values, and the evidence that each value gets."""

from __future__ import annotations

import numpy as np
import pandas as pd

import driftlock as dl

N = 200
HIGH = 8.0  # bits of evidence: what only a value that does not fit gets
LOW = 5.0


def frame(n=N, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "shop": rng.choice(list("abcdefgh"), n),
            "amount": rng.lognormal(3, 1, n).round(2),
            "when": pd.Timestamp("2025-01-01")
            + pd.to_timedelta(rng.integers(0, 86_400 * 30, n), unit="s"),
        }
    )


def draw(values, n=N, seed=1):
    """n values, each of the given ones at least once, as a list of what was given."""
    places = np.random.default_rng(seed).permutation(np.arange(n) % len(values))
    return [values[i] for i in places]


def judged(baseline, events, **options):
    """Detection of a column x of events, beside a column of three letters."""
    normal = pd.DataFrame({"y": draw(list("abc"), len(baseline), seed=2), "x": baseline})
    tested = pd.DataFrame({"y": ["a"] * len(events), "x": events})
    tested.index += N  # other rows than those of the baseline
    return dl.detect(tested, baseline=normal, **options)


def evidence(baseline, events, field="x", **options):
    """Evidence of field x for each event, in bits."""
    found = judged(baseline, events, **options)
    return [found.explain(position=i).table.loc[field, "evidence"] for i in range(len(events))]
