"""The work of a scan: draws for every window, more for those that need them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftlock._kernels import permute
from driftlock._kernels import scan as kernels
from driftlock.arrays import Ints
from driftlock.cancellation import checkpoint
from driftlock.coders.codec import Codec
from driftlock.distance import count_tables
from driftlock.draws import STATISTICS, code_space, draws_of
from driftlock.permutation import (
    STOP_AT,
    TWO_SIDED,
    VERDICT,
    evaluate,
    sequential_p,
    verdict,
)
from driftlock.threads import in_ranges
from driftlock.windows.nulls import NullChoice
from driftlock.windows.permuted import NANO, codec_statistic
from driftlock.windows.spans import Spans
from driftlock.windows.table import WindowTable
from driftlock.windows.text import TextRows

if TYPE_CHECKING:
    from driftlock.windows.options import ScanOptions

K = len(STATISTICS)
MORE = 10  # times as many draws for windows that need them


@dataclass(frozen=True, eq=False)
class ScanJob:
    """Everything that the windows of a scan share.

    Attributes
    ----------
    table, spans, null, options, seed
    labels : list of Series
        Groups of the baseline's and of the tested rows; empty without groups.
    """

    table: WindowTable
    spans: Spans
    null: NullChoice
    options: ScanOptions
    seed: int
    labels: list[pd.Series[Any]]

    @property
    def draws(self) -> tuple[int, int]:
        """Draws of every window, and of one that needs more."""
        asked = self.options.n_permutations
        n, m = self.spans.sizes
        if self.null.name == "shift":
            asked = min(asked, int((n + m).min()) - 1)
        elif self.null.name == "groups":
            asked = min(asked, self.labels[0].nunique(dropna=False))
        elif self.options.coder == "fields":
            return asked, max(asked, self.options.max_permutations)
        return asked, asked

    @property
    def arrays(self) -> tuple[Ints, Ints, int, Ints]:
        """The table as kernels take it."""
        table = self.table
        return table.codes, table.sorts, code_space(table.codes), table.row_bits

    @property
    def counts(self) -> Ints:
        """Tables of code lengths for the largest pool."""
        n, m = self.spans.sizes
        return count_tables(int((n + m).max()))


def scan_by_counts(job: ScanJob) -> pd.DataFrame:
    """Statistics, p-values and draws of every window; more draws where p is as small as they allow.

    A window goes on while fewer than 10 draws were as extreme, up to as many draws as it would take
    to flag it if it were the only one; that number does not depend on what is drawn. Its verdict is
    that of the final draws, all from the first on.
    """
    first, most = job.draws
    goal = min(most, max(first, draws_for_one(len(job.spans), job.options)))
    out = np.zeros((len(job.spans), 2 * K + 2), np.int64)
    _measure(job, np.arange(len(job.spans)), first, out)
    while True:
        draws, extreme = out[:, -1], out[:, -2] - 1
        unsettled = (extreme < STOP_AT) & (draws < goal)
        if not unsettled.any() or job.null.name == "shift":
            return _frame(out[:, :K] * NANO, out[:, K:-1] / (draws + 1)[:, None], draws)
        for count in np.unique(draws[unsettled]):
            again = np.flatnonzero(unsettled & (draws == count))
            _measure(job, again, min(MORE * (int(count) + 1) - 1, goal), out)


DRAWS_AT_ONCE = 200_000  # by one thread, before it looks whether they are still wanted
ENDS = 6  # of two two-sided p-values and two upper ones


def draws_for_one(n_windows: int, options: ScanOptions) -> int:
    """Draws with which one of so many windows could be flagged alone.

    The verdict is the smallest of several p-values, two of them two-sided: as many draws as these
    have ends may be as extreme as the most extreme window.
    """
    share = options.alpha if options.control == "fpr" else options.alpha / n_windows
    if options.control == "by":
        share /= float((1.0 / np.arange(1, n_windows + 1)).sum())
    return int(np.ceil((ENDS + 1) / share))


def _measure(job: ScanJob, windows: Ints, draws: int, out: NDArray[np.int64]) -> None:
    kind = permute.RANDOM_SHIFT if job.null.name == "shift" else permute.ROWS
    draw = (kind, np.uint64(job.seed), draws)
    arguments = job.arrays, job.spans.arrays, draw, job.counts, (TWO_SIDED, VERDICT), out

    def work(a: int, b: int) -> None:
        kernels.scan_range(windows[a:b], *arguments)

    in_ranges(work, 0, windows.size, most=max(DRAWS_AT_ONCE // draws, 1))


def scan_by_pools(job: ScanJob, source: WindowTable | TextRows) -> pd.DataFrame:
    """Each window with a pool and draws of its own, as many as were asked for: groups and text."""
    observed, p, used = [], [], []
    for w in range(len(job.spans)):
        checkpoint()
        baseline, window = job.spans.rows(w)
        labels = _labels(job, window.size) if job.null.name == "groups" else None
        sizes = baseline.size, baseline.size + window.size
        draws = draws_of(job.null.name, labels, sizes, job.options.n_permutations, job.seed + w)
        measured = draws.measure(source.pool(baseline, window))
        each, smallest = verdict(measured)
        observed.append(measured[0] * NANO)
        p.append([*each, smallest])
        used.append(draws.count)
    return _frame(np.array(observed), np.array(p), np.array(used))


def scan_by_codec(job: ScanJob, lines: list[bytes], codec: Codec) -> pd.DataFrame:
    """NCD of each window by a codec, compressed anew for every draw until 10 were as extreme."""
    found = []
    most = job.options.n_permutations
    rows = job.spans.sizes[1]
    telling = {int(rows.argmin()), int(rows.argmax())}  # warned of for all
    for w in range(len(job.spans)):
        checkpoint()
        baseline, window = job.spans.rows(w)
        n, rows = baseline.size, np.concatenate([baseline, window])
        labels = _labels(job, window.size) if job.null.name == "groups" else None
        draws = draws_of(job.null.name, labels, (n, rows.size), most, job.seed + w)
        of = codec_statistic("ncd", [lines[row] for row in rows], n, codec, check=w in telling)
        p, values = sequential_p(
            lambda a, b, of=of, draws=draws: evaluate(of, draws, a, b, threads=True),  # type: ignore[misc]
            "two-sided",
            draws.count,
        )
        found.append((values[0], p, values.size - 1))
    return pd.DataFrame(found, columns=[f"ncd_{codec.name}", "p_value", "draws"])


def _labels(job: ScanJob, m: int) -> Ints:
    """Groups of the baseline's rows and, as one more, of the m rows of a window."""
    baseline = pd.factorize(job.labels[0], use_na_sentinel=False)[0]
    return np.concatenate([baseline, np.full(m, baseline.max() + 1)])


def _frame(observed: NDArray[Any], p: NDArray[Any], draws: Ints) -> pd.DataFrame:
    names = STATISTICS[: observed.shape[1]]  # of text all but the last
    found = pd.DataFrame(observed, columns=list(names))
    for place, name in enumerate(names):
        found[f"p_{name}"] = p[:, place]
    found["p_value"] = p[:, -1]
    found["draws"] = draws
    return found


def field_statistics(
    job: ScanJob, spans: tuple[Ints, Ints, NDArray[np.int64]] | None = None
) -> NDArray[np.int64]:
    """The statistics of each field alone, observed, of each window: (W, F, K).

    The windows are those of the job, or others, as `Spans.arrays` has them.
    """
    spans = spans or job.spans.arrays
    table, n_codes, windows = job.table, job.arrays[2], np.arange(len(spans[2]))
    out = np.zeros((len(table.names), windows.size, 2 * K + 2), np.int64)
    bounds = np.searchsorted(table.field_of, np.arange(len(table.names) + 1))
    fields = [
        (np.ascontiguousarray(table.codes[:, a:b]), table.sorts[a:b], n_codes, bits)
        for a, b, bits in zip(bounds[:-1], bounds[1:], table.bits)
    ]
    rule = TWO_SIDED, np.zeros_like(VERDICT)
    arguments = spans, (permute.ROWS, np.uint64(0), 0), job.counts, rule

    def work(a: int, b: int) -> None:
        for field, found in zip(fields, out):
            kernels.scan_range(windows[a:b], field, *arguments, found)

    in_ranges(work, 0, windows.size)
    return out[:, :, :K].swapaxes(0, 1)
