"""A row given its entity's history: habits and levels, each row left out of its own."""

from __future__ import annotations

import math

import naive_codes as naive
import numpy as np
import pytest
from columns import numbers, symbols, times

from driftlock.arrays import Entities, Symbols
from driftlock.coders import fit_coder
from driftlock.coders.entity import BACK_OFFS, EntityBlock, HabitCoder
from driftlock.coders.residual import scaled_numbers

N, OWNERS, KINDS = 90, 6, 4


def habit_bits(row, others, alone, back_off):
    """Bits of (owner, symbol) given the owner's other rows, backing off to everyone's."""
    owner, symbol = row
    of_owner = [s for o, s in others if o == owner]
    share = of_owner.count(symbol) + back_off * 2.0**-alone
    return -math.log2(share / (len(of_owner) + back_off))


@pytest.fixture
def history():
    """Owners of different sizes, each with a habit of its own; bits of the symbols alone."""
    rng = np.random.default_rng(1)
    owners = np.minimum(rng.geometric(0.35, N) - 1, OWNERS - 1)
    codes = np.where(rng.random(N) < 0.7, owners % KINDS, rng.integers(0, KINDS, N))
    codes[-1] = KINDS  # once in all
    alone = rng.uniform(0.5, 6.0, N)
    return owners, codes, alone


def test_own_habits_are_those_of_the_other_rows(history) -> None:
    owners, codes, alone = history
    coder = HabitCoder.fit(0, 0, symbols(owners), codes, alone)
    rows = list(zip(owners.tolist(), codes.tolist()))
    expected = [
        habit_bits(row, rows[:i] + rows[i + 1 :], alone[i], coder.back_off)
        for i, row in enumerate(rows)
    ]
    found = coder.bits(symbols(owners), codes, alone, own=True)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_new_rows_have_the_habits_of_all_and_new_entities_those_of_everyone(history) -> None:
    owners, codes, alone = history
    coder = HabitCoder.fit(0, 0, symbols(owners), codes, alone)
    rows = list(zip(owners.tolist(), codes.tolist()))
    asked = [(0, 0), (0, KINDS), (3, 1), (-1, 1), (2, -1), (2, KINDS + 5), (1, KINDS)]
    bits = np.linspace(1.0, 4.0, len(asked))
    new = symbols([owner for owner, _ in asked], OWNERS)
    found = coder.bits(new, np.array([symbol for _, symbol in asked]), bits, own=False)
    expected = [
        habit_bits(row, rows, alone, coder.back_off)
        for row, alone in zip(asked, bits.tolist(), strict=True)
    ]
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert found[3] == pytest.approx(bits[3])


@pytest.mark.parametrize("loyal", [True, False])
def test_the_back_off_is_the_one_that_codes_the_baseline_in_the_fewest_bits(loyal: bool) -> None:
    rng = np.random.default_rng(2)
    owners = rng.integers(0, OWNERS, N)
    codes = owners % KINDS if loyal else rng.integers(0, KINDS, N)
    alone = np.full(N, math.log2(KINDS))
    rows = list(zip(owners.tolist(), codes.tolist()))
    totals = {
        back_off: sum(
            habit_bits(row, rows[:i] + rows[i + 1 :], alone[i], back_off)
            for i, row in enumerate(rows)
        )
        for back_off in BACK_OFFS
    }
    coder = HabitCoder.fit(0, 0, symbols(owners), codes, alone)
    assert coder.back_off == min(totals, key=totals.__getitem__)
    assert coder.back_off == BACK_OFFS[0] if loyal else coder.back_off >= 50


@pytest.fixture
def block():
    """A category, an hour and a number that hang on the owner, and a number that does not."""
    rng = np.random.default_rng(3)
    owners = rng.integers(0, OWNERS, N)
    columns = [
        symbols(np.where(rng.random(N) < 0.8, owners % KINDS, 0), KINDS),
        times((owners * 3 + rng.integers(0, 2, N)) % 24, np.zeros(N, np.int64)),
        numbers(100.0 + 50.0 * owners + rng.normal(0, 1, N)),
        numbers(rng.normal(0, 1, N)),
    ]
    coders = [fit_coder(column) for column in columns]
    scaled = scaled_numbers(coders, columns)
    measures = [c.measure(column, own=True) for c, column in zip(coders, columns)]
    entities = Entities(Symbols(owners.astype(np.int32), OWNERS))
    return EntityBlock.fit(entities, columns, measures, scaled), entities, columns, coders


def test_every_field_but_a_text_is_judged_by_the_entity(block) -> None:
    fitted, entities, columns, coders = block
    measures = [c.measure(column, own=True) for c, column in zip(coders, columns)]
    scaled = scaled_numbers(coders, columns)
    parts = list(fitted.parts(entities, columns, measures, scaled, own=True))
    assert [field for field, _ in parts] == [0, 1, 2, 3]
    owners = entities.owners.codes.tolist()
    for field, part in ((0, 0), (1, 1)):
        codes = (columns[0].codes if field == 0 else columns[1].hours).tolist()
        rows = list(zip(owners, codes))
        back_off = fitted.habits[field].back_off
        expected = [
            habit_bits(row, rows[:i] + rows[i + 1 :], measures[field].parts[part][i], back_off)
            for i, row in enumerate(rows)
        ]
        np.testing.assert_allclose(parts[field][1], expected, atol=1e-9)
    for level in fitted.levels:
        g = scaled[level.number]
        pairs = list(zip(g.tolist(), owners))
        expected = [
            naive.group_residual(x, owner, pairs[:i] + pairs[i + 1 :], level.mean, level.kappa)
            for i, (x, owner) in enumerate(pairs)
        ]
        found = level.residual(g, entities.owners.codes, own=True)
        np.testing.assert_allclose(found, expected, atol=2e-3)


def test_another_ones_habit_is_strange(block) -> None:
    fitted, _, columns, coders = block
    asked = [column.take(np.arange(2)) for column in columns]
    asked[2] = numbers([150.0, 350.0])  # the level of owner 1, and that of owner 5
    measures = [c.measure(column, own=False) for c, column in zip(coders, asked)]
    entities = Entities(Symbols(np.array([1, 1], np.int32), OWNERS))
    parts = dict(fitted.parts(entities, asked, measures, scaled_numbers(coders, asked), own=False))
    assert parts[2][1] > parts[2][0] + 3
