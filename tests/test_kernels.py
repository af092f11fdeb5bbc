"""Kernels: each equals its slow, plain twin."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import driftlock._kernels
from driftlock._kernels import context, evidence, nearest, number
from driftlock.coders.nearest import MAX_NUMBERS

KERNELS = Path(driftlock._kernels.__file__).parent
TWINS = sorted(Path(naive.__file__).parent.glob("naive*.py"))
# Kernels that are parts of a larger one, or do many at once what their twin does for one.
PROVED_WITH = {
    **dict.fromkeys(("draw_range", "shuffle_first", "unshuffle"), "draw"),
    **dict.fromkeys(
        (
            "alphabet_units",
            "base_units",
            "far_sums",
            "measure_subsets",
            "permute_range",
            "room_for",
            "place_of",
            "pool_rows",
            "scan_range",
            "distance",
            "mean_of_largest",
            "sum_of_largest",
            "sum_of_largest_left",
            "sum_range",
        ),
        "statistics",
    ),
    **dict.fromkeys(("cut_ranks", "lump_single", "pool_symbols"), "cut"),
    **dict.fromkeys(("measured_pool", "part_scales", "split_moments"), "gain_scale"),
    "bound_of": "keep_nearest",
    "extreme_of_first": "extremes",
    **dict.fromkeys(("are_equal", "row_hash"), "first_equals"),
    **dict.fromkeys(("read_keys", "shorter_key"), "gram_key"),
    "fetch": "find",
    "find_ends": "locate",
    **dict.fromkeys(("add_missing", "learn_block", "settle"), "learn"),
    **dict.fromkeys(("put_back", "take_out"), "add"),
    **dict.fromkeys(("code_block", "one_order_more"), "code_row"),
    **dict.fromkeys(("code_new_rows", "code_own_rows", "gather"), "code_rows"),
    **dict.fromkeys(
        ("measure_texts", "permute_texts", "text_bits", "whole_sums"), "text_statistics"
    ),
}
GRIDS = {
    "fine": (-3.1, 0.05, 0.4, 130),
    "coarse": (-2.0, 0.5, 0.3, 9),
    "two cells": (0.0, 1.0, 1.0, 2),
}


def kernel_names(folder: Path) -> set[str]:
    """Functions that carry the jit decorator."""
    return {
        node.name
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        and any(isinstance(mark, ast.Name) and mark.id == "jit" for mark in node.decorator_list)
    }


def test_every_kernel_has_a_twin() -> None:
    names = kernel_names(KERNELS)
    assert {"smooth", "evidence", "count_at_least"} <= names
    twins = {name for path in TWINS for name in vars(import_module(path.stem))}
    assert sorted(names - twins - PROVED_WITH.keys()) == []
    assert set(PROVED_WITH.values()) <= twins
    assert PROVED_WITH.keys() <= names - twins


def test_the_check_for_twins_can_fail(tmp_path: Path) -> None:
    (tmp_path / "new.py").write_text("@jit\ndef forgotten(x):\n    return x\n")
    assert kernel_names(tmp_path) == {"forgotten"}


def test_the_twins_share_nothing_with_the_package() -> None:
    for path in TWINS:
        lines = path.read_text(encoding="utf-8").splitlines()
        imported = {line.split()[1] for line in lines if line.startswith(("import ", "from "))}
        assert not {name.partition(".")[0] for name in imported} & {"driftlock", "numba"}, path


# --- number ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("center", "spread"), [(0.0, 1.0), (-3.5, 0.02), (1e308, 1e308), (0, 1e-300)]
)
def test_asinh_scale(center: float, spread: float) -> None:
    rng = np.random.default_rng(1)
    values = np.append(rng.normal(0, 50, 40), [0.0, 5e-324, -5e-324, 1e-300, 1e300])
    scaled = number.asinh_scale(values, float(center), spread)
    expected = naive.asinh_scale(values.tolist(), center, spread)
    np.testing.assert_allclose(scaled, expected, rtol=1e-14, atol=0)


def test_asinh_scale_keeps_the_largest_floats_within_its_limit() -> None:
    largest = np.finfo(float).max
    scaled = number.asinh_scale(np.array([largest, -largest, 1.0]), -largest, 1e-300)
    assert scaled.tolist() == [number.LIMIT, 0.0, number.LIMIT]


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_bin_masses(grid: tuple[float, float, float, int]) -> None:
    low, step, _, n_cells = grid
    scaled = np.random.default_rng(2).normal(0, 2, 60)
    masses = number.bin_masses(scaled, low, step, n_cells)
    assert masses.tolist() == naive.bin_masses(scaled.tolist(), low, step, n_cells)
    assert masses.sum() == scaled.size * number.UNIT


def test_bin_masses_do_not_depend_on_the_order() -> None:
    rng = np.random.default_rng(3)
    scaled = rng.normal(0, 2, 500)
    masses = number.bin_masses(scaled, -6.0, 0.03, 400)
    assert (masses == number.bin_masses(rng.permutation(scaled), -6.0, 0.03, 400)).all()


def test_kernel_height() -> None:
    for distance in (0.0, 0.3, -0.3, 2.0, 40.0, 1600.0):
        for bandwidth in (0.01, 0.4, 3.0):
            height = number.kernel_height(distance, bandwidth)
            assert height == pytest.approx(naive.kernel_height(distance, bandwidth), rel=1e-14)


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_smooth(grid: tuple[float, float, float, int]) -> None:
    low, step, bandwidth, n_cells = grid
    scaled = np.random.default_rng(4).normal(0, 1, 25)
    masses = number.bin_masses(scaled, low, step, n_cells)
    smoothed = number.smooth(masses, step, bandwidth)
    np.testing.assert_allclose(smoothed, naive.smooth(masses.tolist(), step, bandwidth), rtol=1e-12)


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_density_sums(grid: tuple[float, float, float, int], own: bool) -> None:
    low, step, bandwidth, n_cells = grid
    high = low + step * (n_cells - 1)
    rng = np.random.default_rng(5)
    scaled = np.append(rng.uniform(low, high, 40), [low, high])
    masses = number.bin_masses(scaled, low, step, n_cells)
    smoothed = number.smooth(masses, step, bandwidth)
    asked = scaled if own else np.append(scaled, [low - 0.01, high + 0.01, -800.0, 800.0])
    sums = number.density_sums(asked, masses, smoothed, (low, step, bandwidth), own)
    expected = naive.density_sums(asked.tolist(), masses.tolist(), (low, step, bandwidth), own)
    np.testing.assert_allclose(sums, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(
    ("thinning", "size", "removed"), [(1.0, 50.0, 1.0), (0.98, 50.0, 0.0), (0.0, 1.0, 0.0)]
)
def test_density_bits(thinning: float, size: float, removed: float) -> None:
    rng = np.random.default_rng(6)
    scaled = np.append(rng.normal(0, 5, 20), [-800.0, 0.0, 800.0])
    sums = np.append(rng.exponential(10, 20), [0.0, 0.0, 0.0])
    bits = number.density_bits(scaled, sums, thinning, size, removed)
    expected = naive.density_bits(scaled.tolist(), sums.tolist(), thinning, size, removed)
    np.testing.assert_allclose(bits, expected, rtol=1e-13)


@given(st.lists(st.tuples(st.integers(-(10**15), 10**15), st.integers(0, 17)), min_size=1))
@settings(max_examples=60)
def test_written_decimals_of_up_to_15_digits(parts: list[tuple[int, int]]) -> None:
    values = np.array([float(f"{whole}e-{k}") for whole, k in parts])
    assert number.written_decimals(values).tolist() == naive.written_decimals(values.tolist())


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=100)
def test_written_decimals_of_any_float(value: float) -> None:
    digits = len(repr(abs(value)).partition("e")[0].replace(".", "").strip("0"))
    if digits != 16:  # see the next test
        assert number.written_decimals(np.array([value])).tolist() == naive.written_decimals(
            [value]
        )


@pytest.mark.parametrize("value", [35858610673521.59, 43014661838902.09])
def test_written_decimals_of_16_digits(value: float) -> None:
    assert number.written_decimals(np.array([value])).tolist() == naive.written_decimals([value])


@pytest.mark.parametrize(
    ("value", "decimals"),
    [
        (0.0, 0),
        (-3.0, 0),
        (0.1, 1),
        (12.50, 1),
        (0.1 + 0.2, 17),
        (1 / 3, 16),
        (1e300, 0),
        (5e-324, 17),
    ],
)
def test_written_decimals_by_example(value: float, decimals: int) -> None:
    assert number.written_decimals(np.array([value])).tolist() == [decimals]


# --- evidence -------------------------------------------------------------------------------------


def test_evidence() -> None:
    table = np.array([0, 5, 40, 700, 2000], np.int32)
    lengths = np.arange(-3, 40, dtype=np.int32)
    tail = (6.0, 2100.25, 1.44)
    result = evidence.evidence(lengths, table, 2, tail)
    assert result.tolist() == naive.evidence(lengths.tolist(), table.tolist(), 2, tail)


def test_evidence_rounds_halves_as_python_does() -> None:
    lengths = np.arange(1, 9, dtype=np.int32)
    result = evidence.evidence(lengths, np.zeros(1, np.int32), 0, (0.0, 0.0, 0.5))
    assert result.tolist() == [0, 1, 2, 2, 2, 3, 4, 4]


def test_count_at_least() -> None:
    rng = np.random.default_rng(7)
    null = rng.integers(10, 30, 50).astype(np.int32)
    low = int(null.min())
    survivors = np.array([(null >= v).sum() for v in range(low, int(null.max()) + 2)], np.int64)
    scores = np.arange(0, 45, dtype=np.int32)
    counts = evidence.count_at_least(survivors, low, scores)
    assert counts.tolist() == naive.count_at_least(null.tolist(), scores.tolist())


def test_round_millibits() -> None:
    bits = np.append(
        np.random.default_rng(8).normal(5, 9, 60),
        [0.0005, 0.0015, -0.0005, 1.0, -2.0, 1.9e6, 2e7, 1e300],
    )
    assert evidence.round_millibits(bits).tolist() == naive.round_millibits(bits.tolist())


# --- context --------------------------------------------------------------------------------------


def test_pair_counts() -> None:
    rng = np.random.default_rng(9)
    left, right = rng.integers(0, 3, (2, 40)).astype(np.int16)
    counts = context.pair_counts(left, right, 3, 4)
    assert counts.tolist() == naive.pair_counts(left.tolist(), right.tolist(), 3, 4)


def test_information() -> None:
    rng = np.random.default_rng(10)
    first = rng.integers(0, 4, 80)
    codes = np.stack([first, first // 2, rng.integers(0, 3, 80), np.zeros(80)]).astype(np.int16)
    sizes = np.array([4, 3, 3, 1])
    gains = context.information(codes, sizes)
    np.testing.assert_allclose(gains, naive.information(codes.tolist(), sizes.tolist()), atol=1e-9)
    assert gains[0, 1] > 0 > gains[0, 2]


def test_context_bits() -> None:
    rng = np.random.default_rng(11)
    bits, child = rng.exponential(3, 30), rng.integers(0, 4, 30).astype(np.int16)
    parents = np.stack([rng.integers(0, 2, 30), rng.integers(0, 5, 30)]).astype(np.int16)
    tables = [rng.exponential(1, (4, 2)), rng.exponential(1, (4, 5))]
    ratios = np.concatenate([table.ravel() for table in tables])
    result = context.context_bits(bits, child, parents, ratios, np.array([0, 8, 2, 5]))
    expected = naive.context_bits(bits.tolist(), child.tolist(), parents.tolist(), tables)
    np.testing.assert_allclose(result, expected, rtol=1e-12)


def test_group_sums() -> None:
    rng = np.random.default_rng(12)
    codes, fixed = rng.integers(-1, 4, 50).astype(np.int32), rng.integers(-(2**25), 2**25, 50)
    sums = context.group_sums(codes, fixed, 5)
    assert sums.tolist() == naive.group_sums(codes.tolist(), fixed.tolist(), 5)


@pytest.mark.parametrize("own", [True, False])
def test_regress(own: bool) -> None:
    rng = np.random.default_rng(13)
    baseline = rng.normal(size=(30, 4))
    baseline[:, 3] = baseline[:, 0] - baseline[:, 1] + 0.1 * baseline[:, 3]
    rows = baseline if own else rng.normal(size=(5, 4))
    precision = np.linalg.inv(baseline.T @ baseline / 30 + 0.001 * np.eye(4))
    errors = context.regress(rows, precision, own, 30)
    expected = naive.regress(rows.tolist(), baseline.tolist(), 0.001, own)
    np.testing.assert_allclose(errors, expected, rtol=1e-8, atol=1e-9)


# --- nearest rows ---------------------------------------------------------------------------------


def rows_and_exemplars(n: int, n_exemplars: int, rng: np.random.Generator):
    """Rows with many ties, the first of them exemplars; as plain lists too."""
    numbers = rng.integers(-300, 300, (n + n_exemplars, 2)) // 100 * 100
    symbols = rng.integers(0, 3, (n + n_exemplars, 3))
    shared = min(n, n_exemplars)
    numbers[n : n + shared], symbols[n : n + shared] = numbers[:shared], symbols[:shared]
    rows = numbers[:n].astype(np.int16), symbols[:n].astype(np.uint8)
    others = numbers[n:].astype(np.int16), symbols[n:].astype(np.uint8)
    transposed = tuple(np.ascontiguousarray(part.T) for part in others)
    plain = [list(zip(*(part.tolist() for part in side))) for side in (rows, others)]
    return rows, transposed, plain


@pytest.mark.parametrize("n_exemplars", [2, 5, 6, 40, 200])
def test_nearest(n_exemplars: int) -> None:
    rng = np.random.default_rng(14)
    n = 25
    rows, exemplars, plain = rows_and_exemplars(n, n_exemplars, rng)
    places = np.where(np.arange(n) < n_exemplars, np.arange(n), -1)
    own_means = rng.exponential(1, n_exemplars)
    means = nearest.nearest(rows, exemplars, places, own_means)
    expected = naive.nearest(*plain, places.tolist(), own_means.tolist())
    np.testing.assert_allclose(means, expected, rtol=1e-12)


@pytest.mark.parametrize("n_numbers", [0, 1, 3, 4])
@pytest.mark.parametrize("n_symbols", [0, 3, 300])
def test_squared_distances(n_symbols: int, n_numbers: int) -> None:
    rng = np.random.default_rng(15)
    numbers = rng.integers(-512, 513, (9, n_numbers)).astype(np.int16)
    symbols = rng.integers(0, 3, (9, n_symbols)).astype(np.uint8)
    exemplars = np.ascontiguousarray(numbers[1:].T), np.ascontiguousarray(symbols[1:].T)
    result, differing = np.empty(8, np.int32), np.empty(8, np.uint8)
    nearest.squared_distances(numbers[0], symbols[0], exemplars, result, differing)
    first, *others = zip(numbers.tolist(), symbols.tolist())
    assert result.tolist() == naive.squared_distances(*first, others)


def test_squared_distances_hold_the_most_numbers_there_may_be() -> None:
    furthest = 8 * nearest.UNIT
    ends = np.full((MAX_NUMBERS, 1), furthest // 2, np.int16)
    result, nothing = np.empty(1, np.int32), np.empty((0, 1), np.uint8)
    nearest.squared_distances(
        -ends[:, 0], nothing[:, 0], (ends, nothing), result, np.empty(1, np.uint8)
    )
    assert result.tolist() == [MAX_NUMBERS * furthest**2]


@pytest.mark.parametrize("size", [3, 64, 65, 300])
def test_keep_nearest(size: int) -> None:
    rng = np.random.default_rng(17)
    for _ in range(5):
        distances = rng.integers(0, 40, size).astype(np.int32)
        best, who, least = np.empty(3, np.int32), np.empty(3, np.int64), np.empty((2, 64), np.int32)
        nearest.keep_nearest(distances, (*least, np.empty(3, np.int64)), best, who)
        assert list(zip(best.tolist(), who.tolist())) == naive.keep_nearest(distances.tolist(), 3)


def test_content_hashes() -> None:
    rng = np.random.default_rng(16)
    numbers = rng.integers(-512, 513, (20, 3)).astype(np.int16)
    symbols = rng.integers(0, 256, (20, 2)).astype(np.uint8)
    salts = rng.integers(1 << 10, 1 << 60, 5)
    hashes = nearest.content_hashes(numbers, symbols, salts)
    assert hashes.tolist() == naive.content_hashes(
        numbers.tolist(), symbols.tolist(), salts.tolist()
    )
    order, apart = [2, 0, 1], [1, 0]
    moved = nearest.content_hashes(
        numbers[:, order].copy(), symbols[:, apart].copy(), salts[[2, 0, 1, 4, 3]]
    )
    assert (moved == hashes).all()
    assert len(set(hashes.tolist())) == 20
