"""What compare and permutation_test return: frozen, printable, every number as a frame."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from driftlock.arrays import Floats
from driftlock.windows.nulls import NullChoice

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMAT = "%.4g"


@dataclass(frozen=True, eq=False, repr=False)
class PermutationResult:
    """One statistic of a window against its null distribution.

    Attributes
    ----------
    statistic : float
        Of the window as it is.
    p_value : float
        (1 + number of draws at least as extreme) / (1 + number of draws); with `sequential`, 10 / l
        where the tenth extreme draw was the l-th. Also called `pvalue`.
    null_distribution : ndarray of float64, shape (n_permutations,)
        The statistic of every draw used, the window itself left out.
    n_permutations : int
        Draws used.
    exact : bool
        Whether the draws are all the other subsets there are.
    alternative : {"two-sided", "greater", "less"}
    null : NullChoice
        What the draws are, and why.
    fallback_from : str or None
        The codec that was asked for, where it is not installed.
    """

    statistic: float
    p_value: float
    null_distribution: Floats
    n_permutations: int
    exact: bool
    alternative: str
    null: NullChoice
    fallback_from: str | None = None

    @property
    def pvalue(self) -> float:
        """The same as `p_value`, under scipy's name."""
        return self.p_value

    def __repr__(self) -> str:
        how = "all other subsets" if self.exact else "draws"
        return (
            f"PermutationResult: statistic = {self.statistic:.6g}, p = {self.p_value:.4g} "
            f"({self.alternative}, {self.n_permutations:,} {how} of {self.null.name})"
        )

    def _repr_html_(self) -> str:
        return f"<p><b>{html.escape(repr(self))}</b></p>"

    def plot(self) -> Figure:
        """Histogram of the null distribution with the statistic.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from driftlock.windows.plots import plot_null

        return plot_null(self)


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Whether a window of rows is like its baseline, statistic by statistic and as one verdict.

    Attributes
    ----------
    table : DataFrame
        A row per statistic: observed, baseline, window, delta, change_percent, expected (mean of
        the null), alternative, p_value and in_verdict. NCD is a ratio, the others are bits:
        entropy a row summed over fields (of text, a byte in its context), mean_bits and top_bits
        (of the tenth with the most) a row; max_field is the largest gain of a single field, in
        standard deviations; compression_ratio is raw bytes by compressed bytes, NaN without a
        codec.
    fields : DataFrame
        A row per field, the one that drives the difference most first: ncd, expected_ncd, entropy
        and bits a row on both sides, and the p_value of the field alone.
    p_value : float
        Of the smallest p-value of the statistics in the verdict, from the same draws.
    alpha : float
    n_baseline, n_window, n_permutations : int
        Rows on both sides, and draws.
    exact : bool
        Whether the draws are all the other subsets there are.
    null : NullChoice
    draws : DataFrame, shape (n_permutations, statistics)
        Statistics of every draw.
    fallback_from : str or None
    """

    table: pd.DataFrame
    fields: pd.DataFrame
    p_value: float
    alpha: float
    sizes: tuple[int, int]
    exact: bool
    null: NullChoice
    draws: pd.DataFrame
    fallback_from: str | None = None

    @property
    def is_anomaly(self) -> bool:
        """Whether the window is declared different at level alpha."""
        return self.p_value <= self.alpha

    @property
    def n_baseline(self) -> int:
        """Rows of the baseline."""
        return self.sizes[0]

    @property
    def n_window(self) -> int:
        """Rows of the window."""
        return self.sizes[1]

    @property
    def n_permutations(self) -> int:
        """Draws used."""
        return len(self.draws)

    def __repr__(self) -> str:
        return f"{self._headline()}\n{self._shown().to_string(float_format=FORMAT.__mod__)}"

    def _repr_html_(self) -> str:
        tables = self._shown().to_html(float_format=FORMAT.__mod__)
        tables += self.fields.head(5).to_html(float_format=FORMAT.__mod__)
        return f"<p><b>{html.escape(self._headline())}</b></p>{tables}"

    def plot(self) -> Figure:
        """Null distributions of the verdict's statistics, and the fields that drive the difference.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from driftlock.windows.plots import plot_comparison

        return plot_comparison(self)

    def _shown(self) -> pd.DataFrame:
        columns = ["observed", "expected", "baseline", "window", "alternative", "p_value"]
        return self.table.loc[self.table["observed"].notna(), columns]

    def _headline(self) -> str:
        decision = "differs from" if self.is_anomaly else "is not told from"
        leads = f"; led by {self.fields.index[0]!r}" if self.is_anomaly and len(self.fields) else ""
        how = "all other subsets" if self.exact else "draws"
        return (
            f"Comparison: the window of {self.n_window:,} rows {decision} its baseline of "
            f"{self.n_baseline:,} (p = {self.p_value:.4g}, alpha = {self.alpha:g}{leads})\n"
            f"null: {self.null!r}, {self.n_permutations:,} {how}"
        )
