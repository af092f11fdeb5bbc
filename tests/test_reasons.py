"""Reasons for many rows say what `explain` says of each."""

from __future__ import annotations

import numpy as np
import pytest

import driftlock as dl
from driftlock.reasons import Reason, brief, notable, reasons_of


@pytest.fixture
def found() -> dl.Detection:
    return dl.detect(dl.datasets.load("mixed").events[:460], baseline=400)


def test_the_same_as_explain(found: dl.Detection) -> None:
    places = np.array([7, 0, 31])
    for place, reasons in zip(places, reasons_of(found, places), strict=True):
        table = found.explain(position=int(place)).table
        assert [reason.field for reason in reasons] == table.index.tolist()
        assert [reason.bits for reason in reasons] == table["bits"].tolist()
        assert [reason.evidence for reason in reasons] == table["evidence"].tolist()
        assert [reason.expected_bits for reason in reasons] == table["expected_bits"].tolist()
        assert [reason.usual for reason in reasons] == table["usual"].tolist()
        assert [reason.value for reason in reasons] == table["value"].tolist()


def test_at_most_so_many_fields(found: dl.Detection) -> None:
    (reasons,) = reasons_of(found, np.array([3]), most=2)
    assert len(reasons) == 2
    assert reasons_of(found, np.array([], int)) == []


def reason(evidence: float) -> Reason:
    return Reason("amount", 12.0, "1 to 5, median 3", 9.0, 4.0, evidence)


@pytest.mark.parametrize(
    ("evidence", "kept"),
    [([2.0, 1.0], 1), ([9.0, 5.0, 4.9], 2), ([40.0, 10.0, 9.9], 2), ([9.0, 8.0, 7.0, 6.0], 3)],
)
def test_weak_reasons_beside_strong_ones_are_noise(evidence: list[float], kept: int) -> None:
    assert len(notable([reason(value) for value in evidence])) == kept


def test_in_words() -> None:
    assert str(reason(9.0)) == "amount: 12.0 (usual: 1 to 5, median 3)"
    assert brief(None) == brief(float("nan")) == "missing"
    assert brief("a\x1b[31mb") == "a\\x1b[31mb"
    assert brief("x" * 60) == "x" * 45 + "..."
