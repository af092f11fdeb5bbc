"""Distances and entropies of bytes, text, columns and tables, by hand and beside scipy."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from driftlock import datasets
from driftlock.coders.codec import get_codec
from driftlock.compression import cdm, code_length, compression_ratio, ncd, ncd_matrix
from driftlock.distance import cdm_of, conditional_entropy, joint_sizes, ncd_of
from driftlock.entropies import entropy, entropy_delta
from driftlock.errors import DriftlockWarning, InputError, OptionError
from driftlock.lines import as_bytes, row_lines
from driftlock.windows import compare

ENGLISH = "the quick brown fox jumps over the lazy dog and runs away. " * 30
DIGITS = "".join(str(i * i) for i in range(600))


def test_by_hand():
    assert ncd_of(100, 80, 170) == 0.9
    assert ncd_of(80, 100, 170) == 0.9
    assert ncd_of(10, 10, 25) == 1.5  # never clamped
    assert cdm_of(100, 80, 170) == 170 / 180
    assert (ncd_of(0, 0, 0), cdm_of(0, 0, 0)) == (0.0, 0.5)


@pytest.mark.parametrize("coder", ["zstd", "lz4", "gzip"])
def test_ncd_is_the_formula_of_sizes(coder):
    x, y = ENGLISH.encode(), DIGITS.encode()
    size = get_codec(coder).size
    expected = (size(x + y) - min(size(x), size(y))) / max(size(x), size(y))
    assert ncd(ENGLISH, y, coder=coder) == expected
    assert ncd(ENGLISH, ENGLISH, coder=coder) < 0.3 < ncd(ENGLISH, DIGITS, coder=coder)


def test_both_orders():
    x, y = ENGLISH.encode()[:500], DIGITS.encode()
    codec = get_codec("zstd")
    both = (codec.size(x + y) + codec.size(y + x)) / 2
    assert joint_sizes(x, y, codec, both_orders=True)[2] == both
    assert ncd(x, y, both_orders=True) == ncd(y, x, both_orders=True)
    assert cdm(x, y, both_orders=True) == cdm(y, x, both_orders=True)


@pytest.mark.parametrize(("coder", "size"), [("gzip", 40_000), ("lz4", 70_000)])
def test_a_side_beyond_the_window_warns(coder, size):
    noise = np.random.default_rng(0).bytes(size)
    with pytest.warns(DriftlockWarning, match=f"{coder} looks back"):
        distance = ncd(noise, noise, coder=coder)
    assert distance > 0.9  # although it is the same: the reason for the warning


def test_unequal_sides_warn():
    with pytest.warns(DriftlockWarning, match="the distance of sides so unequal"):
        ncd(ENGLISH * 20, "a line")


def test_empty_sides_are_errors():
    for x, y, name in [("", "a", "x"), (b"a", b"", "y")]:
        with pytest.raises(InputError, match=f"{name} is empty"):
            ncd(x, y)
    with pytest.raises(InputError, match="x is empty"):
        compression_ratio("")
    with pytest.raises(InputError, match="x is empty"):
        entropy(b"")
    with pytest.raises(InputError, match="items is empty"):
        ncd_matrix({})


@pytest.mark.parametrize("x", [None, 5, 2.5])
def test_what_is_no_text_is_an_error(x):
    with pytest.raises(InputError, match="nothing to compress; expected bytes, str"):
        ncd(x, "a")


def test_unknown_codec():
    with pytest.raises(OptionError, match="'brotli' is not known; choose one of 'zstd'"):
        ncd("a", "b", coder="brotli")


# ------------------------------------------------------------------ bytes of tables
def test_rows_are_compact_json_lines():
    frame = pd.DataFrame(
        {
            "b": [1, 2],
            "a": [None, "ü"],
            "t": pd.to_datetime(["2025-01-01 10:00", None]),
            "raw": [b"\xff", b"ok"],
            "x": [np.nan, 0.5],
            "n": [{"k": [1, {"d": None}]}, None],
        }
    )
    lines = row_lines(frame)
    assert lines[0] == (
        b'{"b":1,"a":null,"t":"2025-01-01T10:00:00","raw":"\\\\xff","x":null,'
        b'"n":{"k":[1,{"d":null}]}}\n'
    )
    assert json.loads(lines[1]) == {"b": 2, "a": "ü", "t": None, "raw": "ok", "x": 0.5, "n": None}
    assert as_bytes(frame) == b"".join(lines)


def test_values_are_lines():
    assert as_bytes(pd.Series(["a", "b"])) == b"a\nb\n"
    assert as_bytes([1, None, b"\x00"]) == b"1\nnull\n\x00\n"
    assert as_bytes("é") == "é".encode()
    assert as_bytes(bytearray(b"z")) == b"z"


def test_lone_surrogates_and_infinities_are_written():
    assert as_bytes("\ud800")
    assert row_lines(pd.DataFrame({"x": [np.inf]})) == [b'{"x":"inf"}\n']


# ------------------------------------------------------------------ matrix
def test_matrix_equals_its_pairs():
    items = {"en": ENGLISH, "digits": DIGITS, "bytes": ENGLISH.encode()[::-1]}
    found = ncd_matrix(items)
    assert list(found.index) == list(found.columns) == list(items)
    assert np.array_equal(found, found.T)
    assert found.loc["en", "digits"] == pytest.approx(ncd(ENGLISH, DIGITS, both_orders=True))
    assert found.loc["en", "en"] == ncd(ENGLISH, ENGLISH)


def test_matrix_of_series_and_lists(capsys):
    assert list(ncd_matrix(pd.Series(["aa" * 50, "ab" * 50], index=["p", "q"])).index) == ["p", "q"]
    assert list(ncd_matrix(["aa" * 50, "ab" * 50], progress=True).columns) == [0, 1]
    assert "pair" in capsys.readouterr().err


def test_matrix_of_a_table_is_of_its_columns():
    events = datasets.load("normal").events[["method", "amount"]]
    found = ncd_matrix(events)
    assert found.loc["method", "amount"] == ncd(
        events["method"], events["amount"], both_orders=True
    )


def test_matrix_names_what_does_not_fit():
    with pytest.raises(InputError, match="item 'b' is empty"):
        ncd_matrix({"a": "x", "b": ""})
    with pytest.raises(InputError, match="items is one str; expected a mapping or a list"):
        ncd_matrix("abc")
    noise = np.random.default_rng(0).bytes(40_000)
    with pytest.warns(DriftlockWarning, match="gzip looks back"):
        ncd_matrix({"short": noise[:9_000], "long": noise[:20_000]}, coder="gzip")
    with pytest.warns(DriftlockWarning, match="sides so unequal"):
        ncd_matrix([noise[:100], noise[:2_000]])


# ------------------------------------------------------------------ lengths
def test_code_length_is_in_bits():
    assert code_length(ENGLISH) == 8 * get_codec("zstd").size(ENGLISH.encode())
    assert code_length(ENGLISH, given="") == code_length(ENGLISH)
    assert code_length(ENGLISH[:59], given=ENGLISH) < code_length(ENGLISH[:59])


def test_compression_ratio_of_a_table():
    events = datasets.load("normal").events
    data = as_bytes(events)
    assert compression_ratio(events, coder="gzip") == len(data) / get_codec("gzip").size(data)


def test_ncd_by_counts_of_tables():
    events = datasets.load("normal").events
    odd = datasets.load("anomalous").events
    near = ncd(events[:200], events[200:300], coder="fields")
    assert near < ncd(events[:200], odd, coder="fields")
    assert near == ncd(events[:200].sample(frac=1, random_state=1), events[200:300], coder="fields")


def test_ncd_by_counts_is_that_of_a_comparison():
    events = datasets.load("normal").events.drop(columns="timestamp")
    for coder in ("fields", "text"):
        compared = compare(events[:60], events[60:90], coder=coder, n_permutations=1, rng=1)
        found = ncd(events[:60], events[60:90], coder=coder)
        assert found == compared.table.loc["ncd", "observed"]


def test_ncd_of_texts_by_counts():
    assert ncd(ENGLISH, ENGLISH.encode(), coder="text") < ncd(ENGLISH, DIGITS, coder="text")
    x, y = (pd.Series(text.split()) for text in (ENGLISH, DIGITS))
    near = ncd(x, x, coder="text")
    assert near < ncd(x, y, coder="text")
    assert near == ncd(x[::-1], x, coder="text")
    with pytest.raises(InputError, match="y is empty"):
        ncd("a", b"", coder="text")
    with pytest.raises(OptionError, match="level=3 is for codecs; coder='text' has no levels"):
        ncd("a", "b", coder="text", level=3)


# ------------------------------------------------------------------ entropies
@given(st.lists(st.integers(0, 5), min_size=1, max_size=80))
def test_entropy_of_values_agrees_with_scipy(values):
    expected = stats.entropy(np.unique(values, return_counts=True)[1], base=2)
    assert entropy([f"v{v}" for v in values]) == pytest.approx(expected, abs=1e-12)


@given(st.binary(min_size=1, max_size=200))
def test_entropy_of_bytes_agrees_with_scipy(data):
    expected = stats.entropy(np.bincount(np.frombuffer(data, np.uint8)), base=2)
    assert entropy(data) == pytest.approx(expected, abs=1e-12)


def test_entropy_by_field():
    events = datasets.load("normal").events
    found = entropy(events)
    assert found["method"] == pytest.approx(stats.entropy(events["method"].value_counts(), base=2))
    assert found["transaction_id"] == pytest.approx(np.log2(len(events)))
    assert found["amount"] == pytest.approx(np.log2(10), abs=0.01)  # deciles
    assert isinstance(entropy(events["method"]), float)


def test_conditional_entropy_by_field():
    frame = pd.DataFrame(
        {"city": ["Rome", "Oslo", "Rome", "Oslo"] * 10, "land": ["it", "no", "it", "no"] * 10}
    )
    frame["free"] = ["a", "a", "b", "b"] * 10
    found = entropy(frame, given="city")
    assert found.to_dict() == {"land": 0.0, "free": 1.0}
    with pytest.raises(InputError, match="given='nowhere' is no field; there are 'city'"):
        entropy(frame, given="nowhere")
    with pytest.raises(OptionError, match="needs a table"):
        entropy("abc", given="city")


def test_conditional_entropy_by_hand():
    codes, given_ = np.array([0, 0, 1, 1, 0, 1]), np.array([0, 0, 0, 0, 1, 1])
    assert conditional_entropy(codes, given_) == pytest.approx(1.0)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=20, max_size=80))
def test_conditional_entropy_agrees_with_scipy(pairs):
    frame = pd.DataFrame([(f"a{a}", f"b{b}") for a, b in pairs], columns=["a", "b"])
    joint, alone = (
        stats.entropy(frame.value_counts(subset=columns), base=2) for columns in (["a", "b"], ["a"])
    )
    found = entropy(frame, given="a", fields={"a": "category", "b": "category"})
    assert found.to_dict() == {"b": pytest.approx(joint - alone, abs=1e-9)}


def test_entropy_delta():
    assert entropy_delta("abab", "aaab") == pytest.approx(entropy("aaab") - 1.0)
    x, y = pd.Series(["a", "b"] * 20), pd.Series(["a"] * 30)
    assert entropy_delta(x, y) == -1.0
    events = datasets.load("normal").events
    found = entropy_delta(events[:250], events[250:])
    expected = [
        stats.entropy(part["method"].value_counts(), base=2)
        for part in (events[250:], events[:250])
    ]
    assert found["method"] == pytest.approx(expected[0] - expected[1])
