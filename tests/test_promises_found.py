"""What is promised to be found, and how much of it may be false; the same with a dirty baseline.

Bounds as in `test_promises.py`: the promised number, + 4 se where a run is small.
"""

from __future__ import annotations

import numpy as np
import pytest
import worlds
from test_promises import LEVELS, assert_level, compiled, full, rank_p

import driftlock as dl

ALPHA = 0.1
TABLES = ("low_cardinality", "mixed", "numeric")


def outcomes(world: str, runs: int, first: int = 0, **options) -> tuple[np.ndarray, np.ndarray]:
    """False share and power of each run: 1,000 rows against 400, the first `odd` of them odd."""
    odd = options["odd"]
    false_share, power = [], []
    for seed in range(first, first + runs):
        flagged = worlds.judged(world, 400, 1000, seed, alpha=ALPHA, **options)["is_anomaly"]
        false_share.append(flagged[odd:].sum() / max(flagged.sum(), 1))
        power.append(flagged[:odd].mean())
    return np.array(false_share), np.array(power)


def four_se(values: np.ndarray) -> float:
    return 4 * values.std() / np.sqrt(values.size)


# --- 8: fifty blatant rows ------------------------------------------------------------------------


@compiled
@pytest.mark.parametrize("world", TABLES)
def test_fifty_blatant_rows(world: str) -> None:
    """15 runs: mean false share <= .1 + 4 se (about .08), power >= .95 - 4 se."""
    false_share, power = outcomes(world, 15, odd=50)
    assert false_share.mean() <= ALPHA + four_se(false_share)
    assert power.mean() >= 0.95 - four_se(power)


@full
@pytest.mark.parametrize("world", [*TABLES, "dependent", "text", "text_and_table"])
def test_fifty_blatant_rows_in_full(world: str) -> None:
    """100 runs: mean false share <= .1 + .02 (2 to 3 se, nothing added), power >= .95."""
    false_share, power = outcomes(world, 100, 1000, odd=50)
    assert false_share.mean() <= 0.12
    assert power.mean() >= 0.95


# --- 9: a lone blatant row ------------------------------------------------------------------------


@compiled
@pytest.mark.parametrize("world", TABLES)
def test_a_lone_blatant_row(world: str) -> None:
    """Found in at least .65 of 20 runs, - 4 se = .43."""
    _, found = outcomes(world, 20, odd=1)
    assert found.mean() >= 0.65 - 4 * np.sqrt(0.65 * 0.35 / 20)


@full
@pytest.mark.parametrize("world", TABLES)
def test_a_lone_blatant_row_in_full(world: str) -> None:
    """Found in at least .65 of 100 runs, nothing added; never by rank alone."""
    _, found = outcomes(world, 100, 1000, odd=1)
    assert found.mean() >= 0.65
    _, found_by_rank = outcomes(world, 20, 1000, odd=1, tail=False)
    assert found_by_rank.sum() == 0


# --- patterns: sixty rows of one kind -------------------------------------------------------------


@compiled
@pytest.mark.parametrize("world", ["mixed", "one_zipf", "text_and_table"])
def test_sixty_rows_of_one_kind(world: str) -> None:
    """12 runs: mean false share <= .1 + 4 se (about .09)."""
    false_share, _ = outcomes(world, 12, odd=60, alike=True)
    assert false_share.mean() <= ALPHA + four_se(false_share)


@full
@pytest.mark.parametrize("world", worlds.WORLDS)
def test_sixty_rows_of_one_kind_in_full(world: str) -> None:
    """40 runs: mean false share <= .1 + 4 se (at most .06)."""
    false_share, _ = outcomes(world, 40, 1000, odd=60, alike=True)
    assert false_share.mean() <= ALPHA + four_se(false_share)


# --- a baseline that is not clean, or not known ---------------------------------------------------


@compiled
@pytest.mark.parametrize("runs", [4, pytest.param(25, marks=full)])
@pytest.mark.parametrize("world", [*TABLES, "text"])
@pytest.mark.parametrize(("odd", "clean"), [(0, True), (10, True), (50, False)])
def test_level_with_odd_rows_in_the_baseline(world: str, odd: int, clean: bool, runs: int) -> None:
    """P(p <= .01) <= .015; 25 runs of 1,000 rows against 1,000: + 4 se = .004; 4 runs: .011."""
    options = {"odd_baseline": odd, "clean": clean}
    p = np.array([rank_p(world, 1000, 1000, 2000 + seed, **options) for seed in range(runs)])
    assert_level(p, {0.01: LEVELS[1000][0.01]}, 1000)


@compiled
@pytest.mark.parametrize("runs", [3, pytest.param(25, marks=full)])
@pytest.mark.parametrize("world", [*TABLES, "text"])
def test_clean_finds_rows_like_those_scattered_in_the_baseline(world: str, runs: int) -> None:
    """1 % of 1,000 baseline rows odd: at least .8 of 20 odd rows are found; 3 runs: - 4 se."""
    power = []
    for seed in range(3000, 3000 + runs):
        options = {"odd": 20, "odd_baseline": 10, "clean": True, "alpha": ALPHA}
        power.append(worlds.judged(world, 1000, 500, seed, **options)["is_anomaly"][:20].mean())
    assert np.mean(power) >= 0.8 - (four_se(np.array(power)) if runs == 3 else 0)


def flags_without_baseline(world: str, seed: int, odd: int) -> np.ndarray:
    frame = worlds.WORLDS[world](1000, seed)
    if odd:
        frame = worlds.spoil(frame, range(odd), seed)
    return dl.detect(frame, alpha=ALPHA).table["is_anomaly"].to_numpy()


@compiled
@pytest.mark.parametrize("world", [*TABLES, "text"])
def test_without_a_baseline(world: str) -> None:
    """10 runs: any false flag in .1 + 4 se = .48 of them; a blatant row in .9 - 4 se = .52."""
    runs = range(10)
    assert np.mean([flags_without_baseline(world, s, 0).any() for s in runs]) <= 0.48
    assert np.mean([flags_without_baseline(world, s, 1)[0] for s in runs]) >= 0.52


@full
@pytest.mark.parametrize("world", [*TABLES, "text"])
def test_without_a_baseline_in_full(world: str) -> None:
    """200 runs: any false flag in at most .1, + 4 se = .085; 60 runs: a blatant row in .9."""
    runs = range(1000, 1200)
    assert np.mean([flags_without_baseline(world, s, 0).any() for s in runs]) <= 0.185
    assert np.mean([flags_without_baseline(world, s, 1)[0] for s in runs[:60]]) >= 0.9
