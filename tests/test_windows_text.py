"""Windows of text: code lengths by counts against refitting, levels, and what is found."""

from __future__ import annotations

import itertools
import re

import naive_windows as naive
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import driftlock as dl
from driftlock import threads
from driftlock.draws import Draws
from driftlock.errors import OptionError
from driftlock.fields import Schema
from driftlock.lines import row_lines
from driftlock.permutation import verdict
from driftlock.windows.text import ORDERS, TextPool, TextRows, text_lines

UNIT, NANO = 1 << 24, 1e9

pytestmark = pytest.mark.usefixtures("_usual_threads")


def pool_of(lines, n):
    encoded = [line.encode() + b"\n" for line in lines]
    return TextRows.of(encoded).pool(np.arange(n), np.arange(n, len(lines)))


def length_of(pool, rows):
    """Code length of some rows in bits, from what the kernels are given."""
    offsets, items, times, totals, widths, signs = pool.arrays[:6]
    counts = np.zeros(totals.size, np.int64)
    for row in rows:
        entries = slice(offsets[row], offsets[row + 1])
        np.add.at(counts, items[entries], times[entries])
    lengths = pool.tables[0]
    return (signs @ (lengths[2 * counts + widths] - lengths[widths])) / UNIT / len(ORDERS)


def log(n, rng):
    """Lines of a log: five templates with numbers and names."""

    def line(k):
        number = rng.integers(10**8, 10**9)
        return (
            f"Received block blk_{number} of size {rng.integers(1_000, 99_999)}",
            f"session opened for user {rng.choice(['root', 'alice', 'bob'])} by uid {number % 10}",
            f"GET /items/{rng.integers(1, 5_000)} status: {rng.choice([200, 404])}",
            f"PacketResponder {number % 3} for block blk_{number} terminating",
            f"cache hit ratio {rng.random():.2f} after {rng.integers(1, 900)} requests",
        )[k]

    return [line(k) for k in rng.choice(5, n, p=[0.35, 0.25, 0.2, 0.15, 0.05])]


def spoiled(lines, kind, rng, m=50):
    """The last m lines, made strange in one way."""
    old, window = lines[:-m], lines[-m:]
    if kind == "replayed inside":
        window[m // 2 :] = window[: m // 4] * 2 + window[:1] * (m - m // 2 - 2 * (m // 4))
    elif kind == "old lines replayed":
        window = [old[i] for i in rng.choice(len(old), m, replace=False)]
    elif kind == "new template":
        window[:3] = [f"Failed password for admin port {rng.integers(10**4)} ssh2" for _ in "abc"]
    elif kind == "longer parameters":
        longer = rf"\g<0>{rng.integers(10**3, 10**4)}"
        window = [re.sub(r"blk_\d+", longer, line) for line in window]
    elif kind == "garbled":
        window[:3] = ["".join(map(chr, rng.integers(33, 127, 60))) for _ in "abc"]
    return old + window


KINDS = (
    "replayed inside",
    "old lines replayed",
    "new template",
    "longer parameters",
    "garbled",
)


# ------------------------------------------------------------------ the code
texts = st.lists(st.text("ab0", max_size=6), min_size=4, max_size=9)


@given(texts, st.data())
@settings(max_examples=40)
def test_statistics_equal_refitting_the_counts(lines, data):
    n = data.draw(st.integers(1, len(lines) - 1))
    pool = pool_of(lines, n)
    draws = Draws.rows(n, len(lines), 10_000, 1)  # all subsets
    found = draws.measure(pool) / NANO
    rows = [line.encode() + b"\n" for line in lines]
    for values, members in list(zip(found, draws.subsets(), strict=True))[::7]:
        ncd, delta = naive.text_statistics(rows, members.tolist(), ORDERS)
        assert values[0] == pytest.approx(ncd, abs=1e-5)
        assert values[1] == pytest.approx(delta, abs=1e-6)
        spent = np.sort(pool.bits[members])[::-1] / 1000
        assert values[2] == pytest.approx(spent.mean(), abs=1e-6)
        assert values[3] == pytest.approx(spent[: max(1, spent.size // 10)].mean(), abs=1e-6)
        assert length_of(pool, members) == pytest.approx(
            naive.text_length([rows[i] for i in members], rows, ORDERS), abs=1e-4
        )


@pytest.mark.parametrize("n", [2, 9, 25])
def test_a_baseline_smaller_than_the_window_gives_the_same_as_the_window(n):
    pool = pool_of(log(40, np.random.default_rng(3)), n)
    draws = Draws.rows(n, 40, 60, 1)
    assert not draws.exact
    subsets = draws.subsets()
    starts = np.arange(62) * (40 - n)
    listed = np.empty((61, 4), np.int64)
    pool.measure_subsets(np.concatenate(subsets).astype(np.uint32), starts, listed)
    assert np.array_equal(draws.measure(pool), listed)
    assert np.array_equal(draws.mean_bits(pool), listed[:, 2])
    k = max(1, (40 - n) // 10)
    largest = [np.sort(pool.bits[rows])[-k:].sum(dtype=np.int64) for rows in subsets]
    assert listed[:, 3].tolist() == [int(total) * 1_000_000 // k for total in largest]


def test_bits_are_what_a_row_adds_to_all_others():
    lines = log(40, np.random.default_rng(1))
    pool, rows = pool_of(lines, 30), [line.encode() + b"\n" for line in lines]
    whole = naive.text_length(rows, rows, ORDERS)
    for i in (0, 7, 39):
        others = naive.text_length(rows[:i] + rows[i + 1 :], rows, ORDERS)
        assert pool.bits[i] / 1000 == pytest.approx(whole - others, abs=0.002)


def test_entropies_are_those_of_bytes_in_their_contexts():
    lines = log(40, np.random.default_rng(2))
    rows = [line.encode() + b"\n" for line in lines]
    expected = [naive.text_entropy(side, ORDERS) for side in (rows[:30], rows[30:])]
    assert pool_of(lines, 30).entropies() == pytest.approx(expected, abs=1e-9)


def test_the_length_of_all_rows_is_the_same_in_any_order():
    lines = log(60, np.random.default_rng(3))
    shuffled = np.random.default_rng(4).permutation(60)
    pool, other = pool_of(lines, 50), pool_of([lines[i] for i in shuffled], 50)
    assert length_of(pool, range(60)) == length_of(other, range(60))
    assert (pool.bits[shuffled] == other.bits).all()  # permuting rows permutes their bits


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_lengths_are_those_of_a_code(size):
    # Kraft: over all texts of one size, 2 ** -length sums to at most 1, for a row and for two
    lines = ["".join(letters) for letters in itertools.product("abc", repeat=size)]
    pool = pool_of(lines, 1)
    shares = [2.0 ** -length_of(pool, [row]) for row in range(len(lines))]
    assert sum(shares) <= 1 + 1e-6  # lengths are rounded to 2 ** -24 bit
    pairs = itertools.product(range(len(lines)), repeat=2)
    assert sum(2.0 ** -length_of(pool, pair) for pair in pairs) <= 1 + 1e-6


def test_no_start_of_a_row_is_taken_for_bytes():
    pool = pool_of(["ab", "b", "", "ab"], 2)
    rows = [b"ab\n", b"b\n", b"\n", b"ab\n"]
    assert length_of(pool, range(4)) == pytest.approx(
        naive.text_length(rows, rows, ORDERS), abs=1e-5
    )


def test_equal_rows_have_no_distance_and_no_bits():
    pool = pool_of(["same"] * 8, 4)
    assert (Draws.rows(4, 8, 100, 1).measure(pool) == 0).all()


# ------------------------------------------------------------------ determinism
@pytest.mark.parametrize("null", ["rows", "shift"])
def test_results_do_not_depend_on_threads(null, sizes):
    lines = log(sizes(450, 60), np.random.default_rng(5))
    n, most = len(lines) - 20, sizes(600, 50)
    draws = (Draws.rows if null == "rows" else Draws.shifts)(n, len(lines), most, 9)
    found = []
    for count in (1, 2, 3, 7):
        threads.set_threads(count)
        found.append(draws.measure(pool_of(lines, n)))
    assert all((found[0] == other).all() for other in found[1:])
    assert (draws.measure(pool_of(lines, n), 11, 13) == found[0][11:13]).all()


# ------------------------------------------------------------------ which text
def schema_of(frame):
    return Schema.learn(frame)[0]


def test_a_single_column_and_a_single_text_field_are_read_as_they_are():
    lines = log(60, np.random.default_rng(6))
    expected = [line.encode() + b"\n" for line in lines]
    alone = pd.DataFrame({"message": lines})
    assert text_lines(alone, schema_of(alone)) == expected
    few = pd.DataFrame({"level": ["info", "warn"] * 30})
    assert text_lines(few, schema_of(few))[:2] == [b"info\n", b"warn\n"]
    among = alone.assign(level=["info", "warn", "info"] * 20)
    assert schema_of(among).decisions["message"].kind == "text"
    assert text_lines(among, schema_of(among)) == expected


def test_other_tables_are_read_as_lines_of_json():
    rng = np.random.default_rng(7)
    frame = pd.DataFrame({"a": rng.choice(["x", "y"], 40), "b": rng.normal(size=40)})
    assert text_lines(frame, schema_of(frame)) == row_lines(frame)


def test_missing_texts_are_null():
    frame = pd.DataFrame({"message": [*log(50, np.random.default_rng(8)), None]})
    assert text_lines(frame, schema_of(frame))[-1] == b"null\n"


# ------------------------------------------------------------------ in use
def sides(kind=None, seed=0, n=400, m=50):
    rng = np.random.default_rng(seed)
    lines = log(n + m, rng)
    lines = spoiled(lines, kind, rng) if kind else lines
    column = pd.Series(lines, name="message")
    return column[:n], column[n:]


@pytest.mark.jit
def test_compare_reads_text():
    found = dl.compare(*sides("new template"), coder="text", n_permutations=199, rng=1)
    assert found.is_anomaly
    assert list(found.draws) == list(TextPool.statistics)
    table = found.table
    for name in ("entropy", "mean_bits", "top_bits"):
        observed = table.loc[name, "delta" if name == "entropy" else "window"]
        assert observed == pytest.approx(table.loc[name, "observed"], abs=1e-6)
    assert table.loc["top_bits", "p_value"] == 1 / 200
    assert set(found.fields.index) == {"message", "(repeated rows)"}


@pytest.mark.jit
def test_permutation_test_reads_text():
    normal, window = sides("replayed inside")
    compared = dl.compare(normal, window, coder="text", null="rows", n_permutations=99, rng=1)
    for name in TextPool.statistics:
        found = dl.permutation_test(normal, window, name, coder="text", n_permutations=99, rng=1)
        assert found.p_value == compared.table.loc[name, "p_value"]
        assert found.statistic == pytest.approx(compared.table.loc[name, "observed"])
    early = dl.permutation_test(normal, window, coder="text", sequential=True, rng=1)
    assert early.p_value < 0.05
    for name in ("compression_ratio", "max_field"):  # of codecs, and of tables
        with pytest.raises(OptionError, match=name):
            dl.permutation_test(normal, window, name, coder="text")


@pytest.mark.jit
@pytest.mark.parametrize("null", ["rows", "shift"])
def test_scan_reads_text(null):
    lines = log(700, np.random.default_rng(9))
    lines[500:550] = lines[500:510] * 5
    events = pd.DataFrame({"message": lines})
    options = {"coder": "text", "null": null, "rng": 1}
    found = dl.scan(events, baseline=400, window=50, control="fpr", **options)
    assert found.table["p_value"].idxmin() == 2
    assert found.table.loc[2, "is_anomaly"]
    assert (found.table["draws"] == (999 if null == "rows" else 449)).all()
    again = dl.permutation_test(events[:400], events[500:550], **options)
    assert again.statistic == pytest.approx(found.table.loc[2, "ncd"])


@pytest.mark.jit
def test_scan_reads_groups_as_text():
    lines = log(600, np.random.default_rng(10))
    events = pd.DataFrame({"message": lines, "day": np.arange(600) // 20})
    found = dl.scan(events, baseline=400, groups="day", coder="text", control="fpr", rng=1)
    assert len(found) == 10
    assert (found.table["draws"] == 20).all()


# ------------------------------------------------------------------ promises
def p_values(lines, n, *, draws=199, seed=0):
    """p of each statistic and of the verdict."""
    each, smallest = verdict(Draws.rows(n, len(lines), draws, seed).measure(pool_of(lines, n)))
    return np.append(each, smallest)


def rejections(trials, seed, kind=None):
    """Share of trials with p <= .05, by statistic and verdict."""
    rng = np.random.default_rng(seed)
    found = []
    for trial in range(trials):
        lines = log(450, rng)
        lines = spoiled(lines, kind, rng) if kind else lines
        found.append(p_values(lines, 400, seed=trial))
    return dict(
        zip([*TextPool.statistics, "verdict"], (np.array(found) <= 0.05).mean(0), strict=True)
    )


def check_level(trials, seed):
    share = rejections(trials, seed)
    slack = 4 * np.sqrt(0.05 * 0.95 / trials)
    assert all(abs(value - 0.05) <= slack for value in share.values()), share


@pytest.mark.jit
def test_level():
    check_level(150, 1)


@pytest.mark.jit
@pytest.mark.slow
def test_level_in_full():
    check_level(2_000, 2)


@pytest.mark.jit
@pytest.mark.parametrize("kind", KINDS)
def test_the_verdict_finds(kind):
    share = rejections(30, 3, kind)
    assert share["verdict"] >= 0.8, share


def test_a_pool_says_how_many_rows_it_has():
    pool = pool_of(["a", "b", "c"], 2)
    assert isinstance(pool, TextPool)
    assert (pool.n, pool.size) == (2, 3)
