"""One statistic of a window and its permutation test, by counts, by a codec or by any function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from driftlock.arrays import Floats, Ints
from driftlock.coders.codec import CODECS, Codec, get_codec
from driftlock.distance import check_pair, ncd_of
from driftlock.draws import Draws, Measurable, draws_of
from driftlock.errors import OptionError, check_choice
from driftlock.fields import to_frame
from driftlock.lines import row_lines
from driftlock.permutation import (
    ALTERNATIVES,
    USUAL_ALTERNATIVE,
    evaluate,
    p_of,
    sequential_p,
)
from driftlock.warm import ensure
from driftlock.windows.nulls import NullChoice, choose_null, group_labels, without
from driftlock.windows.options import WindowOptions, check_sizes
from driftlock.windows.results import PermutationResult
from driftlock.windows.table import WindowTable, encode
from driftlock.windows.text import TextRows, text_lines

CODEC_STATISTICS = ("ncd", "compression_ratio")
NANO = 1e-9

Statistic = Callable[[Ints, Ints], float]


@dataclass(frozen=True, eq=False)
class Sides:
    """A baseline and a window, coded together, and the draws of their null."""

    rows: pd.DataFrame
    table: WindowTable
    null: NullChoice
    draws: Draws

    @classmethod
    def of(
        cls,
        baseline: pd.DataFrame,
        window: pd.DataFrame,
        options: WindowOptions,
        least: int,
        leave_clocks: bool = False,
    ) -> Sides:
        """Check, code and choose the null."""
        n, m = len(baseline), len(window)
        check_sizes(n, m, least)
        ensure("windows")
        groups = options.groups
        labels = None if groups is None else group_labels(baseline, window, groups)
        frames = [without(baseline, groups), without(window, groups)]
        table = encode(frames, n, options.fields, leave_clocks)
        null = choose_null(options.null, groups is not None, table, np.arange(n), m)
        draws = draws_of(null.name, labels, (n, n + m), options.n_permutations, options.seed())
        return cls(stacked(frames), table, null, draws)

    def pool(self, coder: str) -> Measurable:
        """All rows as "text", else as fields."""
        baseline, window = np.arange(self.draws.n), np.arange(self.draws.n, self.draws.size)
        if coder == "text":
            return TextRows.of(text_lines(self.rows, self.table.schema)).pool(baseline, window)
        return self.table.pool(baseline, window)


def permutation_test(
    baseline: Any,
    window: Any,
    statistic: str | Callable[[pd.DataFrame, pd.DataFrame], float] = "ncd",
    *,
    coder: str = "fields",
    n_permutations: int = 999,
    null: str = "rows",
    rng: int | np.random.Generator | None = None,
    **options: Any,
) -> PermutationResult:
    """Test whether a statistic of a window is what the baseline makes likely.

    Parameters
    ----------
    baseline, window : DataFrame, or polars or pyarrow table
        Rows on both sides, with the same columns.
    statistic : str or callable, default "ncd"
        With ``coder="fields"`` or "text": "ncd", "entropy" (of the window less that of the
        baseline, bits a row, or of text a byte), "mean_bits" or "top_bits" (of the tenth of the
        rows with the most) of the window; with "fields" also "max_field" (the largest gain of a
        field, in standard deviations). With a codec: "ncd" or "compression_ratio" of the window.
        Or any function ``f(baseline_rows, window_rows) -> float`` of two frames.
    coder : {"fields", "text", "zstd", "lz4", "gzip", "openzl"}, default "fields"
        What measures rows, as in `compare`; not used for a callable.
    n_permutations : int, default 999
        Draws; all other subsets where these are no more, which makes the test exact.
    null : {"rows", "shift", "groups", "auto"}, default "rows"
        What might as well have been the window: any rows, any neighbours, whole groups.
    rng : None, int or numpy.random.Generator
        Seed: draw b depends on it and on b alone.
    **options
        ``alternative``: "two-sided", "greater" or "less"; by default that of the statistic, for a
        callable two-sided. ``sequential=True``: stop after 10 draws as extreme (Besag and
        Clifford). ``groups``: column of the groups. ``fields``: kinds of fields that override what
        the values say.

    Returns
    -------
    PermutationResult

    Raises
    ------
    InputError
        If a side has too few rows, or other columns than the other.
    OptionError
        If an option or a statistic is not known.

    Notes
    -----
    With B draws, p = (1 + #{draw at least as extreme}) / (1 + B): ties count as extreme and p is
    never 0. Statistics by counts are whole multiples of 1e-9, so that ties are exact. Two-sided
    doubles the smaller tail.

    References
    ----------
    Phipson and Smyth, "Permutation p-values should never be zero", Statistical Applications in
    Genetics and Molecular Biology 9, 2010.

    Examples
    --------
    >>> import driftlock as dl
    >>> events = dl.datasets.load("normal").events
    >>> result = dl.permutation_test(events[:400], events[400:450], "entropy", null="shift", rng=1)
    >>> result.n_permutations, result.exact, result.p_value > 0.05
    (449, True, True)
    """
    alternative, is_sequential, more = _split_options(options)
    chosen = WindowOptions(coder, n_permutations, null, rng=rng, **more)
    leave_clocks = chosen.leave_clocks and not callable(statistic)
    frames = to_frame(baseline, "baseline"), to_frame(window, "window")
    sides = Sides.of(*frames, chosen, 2, leave_clocks)
    codec = get_codec(coder) if coder in CODECS and not callable(statistic) else None
    values_of = _values(statistic, sides, codec or coder)
    alternative = alternative or _usual(statistic)
    most = sides.draws.count
    if is_sequential and not sides.draws.exact:
        p, values = sequential_p(values_of, alternative, most)
    else:
        values = values_of(0, most + 1)
        p = p_of(values[1:], float(values[0]), alternative)
    floats = np.asarray(values * NANO if values.dtype.kind == "i" else values, np.float64)
    return PermutationResult(
        float(floats[0]),
        p,
        floats[1:],
        floats.size - 1,
        sides.draws.exact,
        alternative,
        sides.null,
        codec.fallback_from if codec else None,
    )


def _split_options(options: Mapping[str, Any]) -> tuple[str | None, bool, dict[str, Any]]:
    """Alternative, whether to stop early, and the options that choose rows and fields."""
    for name in options:
        check_choice("option", name, ("alternative", "sequential", "groups", "fields"))
    alternative, sequential = options.get("alternative"), options.get("sequential", False)
    if alternative is not None:
        check_choice("alternative", alternative, ALTERNATIVES)
    check_choice("sequential", sequential, (True, False))
    return alternative, sequential, {k: options[k] for k in ("groups", "fields") if k in options}


def _usual(statistic: Any) -> str:
    return (
        USUAL_ALTERNATIVE.get(statistic, "two-sided") if isinstance(statistic, str) else "two-sided"
    )


def _values(
    statistic: Any, sides: Sides, coder: Codec | str
) -> Callable[[int, int], Floats | Ints]:
    """Values of draws a ... b - 1, whatever the statistic is."""
    draws = sides.draws
    if callable(statistic):
        rows = sides.rows

        def of_rows(baseline: Ints, window: Ints) -> float:
            value = statistic(rows.iloc[baseline], rows.iloc[window])
            try:
                number = float(value)
            except (TypeError, ValueError) as error:
                raise OptionError(f"the statistic gave {value!r}; expected a number") from error
            if np.isnan(number):
                raise OptionError("the statistic gave NaN, which cannot be ranked")
            return number

        return lambda a, b: evaluate(of_rows, draws, a, b)
    if isinstance(coder, str):
        pool = sides.pool(coder)
        check_choice("statistic", statistic, pool.statistics)
        if statistic == "mean_bits":
            return lambda a, b: draws.mean_bits(pool, a, b)
        column = pool.statistics.index(statistic)
        return lambda a, b: np.ascontiguousarray(draws.measure(pool, a, b)[:, column])
    check_choice("statistic", statistic, CODEC_STATISTICS)
    of = codec_statistic(statistic, row_lines(sides.rows), draws.n, coder)
    return lambda a, b: evaluate(of, draws, a, b, threads=True)


def codec_statistic(
    name: str, lines: list[bytes], n: int, codec: Codec, *, check: bool = True
) -> Statistic:
    """A statistic of rows given as lines; the first n of them are the baseline."""
    if check:
        check_pair(b"".join(lines[:n]), b"".join(lines[n:]), codec, stacklevel=5)

    def joined(rows: Ints) -> bytes:
        return b"".join([lines[row] for row in rows])

    def ncd(baseline: Ints, window: Ints) -> float:
        x, y = joined(baseline), joined(window)
        return ncd_of(codec.size(x), codec.size(y), codec.size(x + y))

    def ratio(_: Ints, window: Ints) -> float:
        y = joined(window)
        return len(y) / codec.size(y)

    return ncd if name == "ncd" else ratio


def stacked(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """All rows of both sides; columns of different dtypes as objects."""
    columns = {}
    for name in frames[0].columns:
        sides = [frame[name] for frame in frames]
        if sides[0].dtype != sides[1].dtype:
            sides = [side.astype(object) for side in sides]
        columns[name] = pd.concat(sides, ignore_index=True)
    return pd.DataFrame(columns)
