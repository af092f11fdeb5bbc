"""compare: a window against a baseline, every statistic and one verdict from the same draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from driftlock.arrays import Floats
from driftlock.coders.codec import CODECS, Codec, get_codec
from driftlock.draws import Draws, Measurable
from driftlock.errors import check_choice
from driftlock.evidence import MILLI
from driftlock.fields import to_frame
from driftlock.lines import row_lines
from driftlock.permutation import (
    IN_VERDICT,
    USUAL_ALTERNATIVE,
    evaluate,
    p_of,
    verdict,
)
from driftlock.windows.nulls import warn_of_short_window
from driftlock.windows.options import MIN_BASELINE, WindowOptions
from driftlock.windows.permuted import CODEC_STATISTICS, NANO, Sides, codec_statistic
from driftlock.windows.results import Comparison

EXTRA_OPTIONS = ("alpha", "groups", "fields")


def compare(
    baseline: Any,
    window: Any,
    *,
    coder: str = "fields",
    n_permutations: int = 999,
    null: str = "auto",
    rng: int | np.random.Generator | None = None,
    **options: Any,
) -> Comparison:
    """Tell whether a window of rows is like its baseline, and in which fields it is not.

    Parameters
    ----------
    baseline, window : DataFrame, or polars or pyarrow table
        Normal rows, 20 at least, and the rows in question, 50 or more for claims; the same columns,
        both in the order of time if they have one.
    coder : {"fields", "text", "zstd", "lz4", "gzip", "openzl"}, default "fields"
        "text" reads the only text field, or else each row as a line of JSON, and has all statistics
        from counts of its bytes in their contexts; `fields` of the result stay typed fields. A
        codec adds its NCD, which then stands in the verdict, and the compression ratio.
    n_permutations : int, default 999
        Draws that all statistics share.
    null : {"auto", "rows", "shift", "groups"}, default "auto"
        What might as well have been the window. "rows" takes rows to be exchangeable, "shift" is
        for ordered data, "groups" moves whole groups; "auto" looks at the baseline's order, and
        leaves out the hours of times that its rows are in the order of.
    rng : None, int or numpy.random.Generator
        Seed of the draws.
    **options
        ``alpha=0.05``: level of the verdict. ``groups``: column whose values say which rows stay
        together. ``fields``: kinds of fields that override what the values say.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        If a side has too few rows, or other columns than the other.
    OptionError
        If an option is not known.

    Notes
    -----
    The verdict is the smallest p-value of NCD and entropy (both two-sided), top bits and the
    largest gain of a single field (both upper tails), judged by the smallest p-value of every draw.
    Together they see a few bad rows, shifted frequencies, replayed rows, of the window or of the
    baseline, drifts of scale, and one field that changes among many that do not.

    Examples
    --------
    >>> import driftlock as dl
    >>> normal = dl.datasets.load("normal").events
    >>> odd = dl.datasets.load("anomalous").events
    >>> dl.compare(normal[:400], normal[400:450], rng=1).is_anomaly
    False
    >>> found = dl.compare(normal[:400], odd[:50], rng=1)
    >>> found.is_anomaly, found.null.name
    (True, 'rows')
    """
    for name in options:
        check_choice("option", name, EXTRA_OPTIONS)
    chosen = WindowOptions(
        coder=coder, n_permutations=n_permutations, null=null, rng=rng, **options
    )
    frames = to_frame(baseline, "baseline"), to_frame(window, "window")
    sides = Sides.of(*frames, chosen, MIN_BASELINE, chosen.leave_clocks)
    draws = sides.draws
    warn_of_short_window(sides.null, draws.size - draws.n)
    pool = sides.pool(coder)
    measured = draws.measure(pool)
    values = pd.DataFrame(measured * NANO, columns=list(pool.statistics))
    levels = _levels(pool, draws.n)
    codec = get_codec(coder) if coder in CODECS else None
    if codec:
        lines = row_lines(sides.rows)
        values[["ncd_" + codec.name, "compression_ratio"]] = _codec_values(lines, draws, codec)
        measured[:, 0] = np.rint(values["ncd_" + codec.name] / NANO)
        levels["compression_ratio"] = _ratios(lines, draws.n, codec)
    return Comparison(
        _table(values, levels),
        _fields(sides),
        verdict(measured)[1],
        chosen.alpha,
        (draws.n, draws.size - draws.n),
        draws.exact,
        sides.null,
        values.iloc[1:].reset_index(drop=True),
        codec.fallback_from if codec else None,
    )


def _table(values: pd.DataFrame, levels: dict[str, tuple[float, float]]) -> pd.DataFrame:
    """A row per statistic; its first value is the window's own, the others are those of draws."""
    names = [str(name) for name in values]
    names += ["compression_ratio"] if "compression_ratio" not in names else []
    codec_ncd = [name for name in names if name.startswith("ncd_")]
    in_verdict = {*IN_VERDICT, *codec_ncd} - ({"ncd"} if codec_ncd else set())
    rows = []
    for name in names:
        observed = values[name].to_numpy() if name in values else np.array([np.nan])
        alternative = USUAL_ALTERNATIVE.get(name, "two-sided")
        before, after = levels.get(name, (np.nan, np.nan))
        rows.append(
            {
                "statistic": name,
                "observed": observed[0],
                "baseline": before,
                "window": after,
                "delta": after - before,
                "change_percent": 100 * (after - before) / before if before else np.nan,
                "expected": observed[1:].mean() if observed.size > 1 else np.nan,
                "alternative": alternative,
                "p_value": p_of(observed[1:], observed[0], alternative)
                if observed.size > 1
                else np.nan,
                "in_verdict": name in in_verdict,
            }
        )
    return pd.DataFrame(rows).set_index("statistic")


def _levels(pool: Measurable, n: int) -> dict[str, tuple[float, float]]:
    """Baseline's and window's own value of entropy, mean bits and top bits."""
    bits = [np.sort(side)[::-1] / MILLI for side in (pool.bits[:n], pool.bits[n:])]
    top = [values[: max(1, values.size // 10)].mean() for values in bits]
    return {
        "entropy": pool.entropies(),
        "mean_bits": (bits[0].mean(), bits[1].mean()),
        "top_bits": (top[0], top[1]),
    }


def _codec_values(lines: list[bytes], draws: Draws, codec: Codec) -> Floats:
    """NCD and compression ratio of the window and of every draw, shape (draws + 1, 2)."""
    columns = [
        evaluate(
            codec_statistic(name, lines, draws.n, codec), draws, 0, draws.count + 1, threads=True
        )
        for name in CODEC_STATISTICS
    ]
    return np.column_stack(columns)


def _ratios(lines: list[bytes], n: int, codec: Codec) -> tuple[float, float]:
    """Raw bytes by compressed bytes, of the baseline and of the window."""
    baseline, window = b"".join(lines[:n]), b"".join(lines[n:])
    return len(baseline) / codec.size(baseline), len(window) / codec.size(window)


def _fields(sides: Sides) -> pd.DataFrame:
    """Each field alone, by the same draws; the smallest p-value first."""
    draws, table, n = sides.draws, sides.table, sides.draws.n
    pool = table.pool(np.arange(n), np.arange(n, draws.size))
    rows = []
    for place, name in enumerate(table.names):
        bits = table.bits[place]
        alone = pool.parts(np.flatnonzero(table.field_of == place).tolist(), bits)
        measured = draws.measure(alone)
        ncd = measured[:, 0] * NANO
        entropy_baseline, entropy_window = alone.entropies()
        rows.append(
            {
                "field": name,
                "p_value": verdict(measured)[1],
                "ncd": ncd[0],
                "expected_ncd": ncd[1:].mean(),
                "entropy_baseline": entropy_baseline,
                "entropy_window": entropy_window,
                "bits_baseline": bits[:n].mean() / MILLI,
                "bits_window": bits[n:].mean() / MILLI,
                "distance": abs(ncd[0] - ncd[1:].mean()) / max(ncd[1:].std(), NANO),
            }
        )
    found = pd.DataFrame(rows).set_index("field")
    found = found.sort_values(["p_value", "distance"], ascending=[True, False], kind="stable")
    return found.drop(columns="distance")
