"""Options that compare, scan and permutation_test share, checked in one place."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from driftlock.coders.codec import CODECS
from driftlock.draws import NULLS
from driftlock.errors import InputError, OptionError, check_choice
from driftlock.significance import CONTROLS

if TYPE_CHECKING:
    from driftlock.windows.scan_results import ScanPlan

CODERS = ("fields", "text", *CODECS)
AUTO_NULLS = ("auto", *NULLS)
MIN_BASELINE = 20


@dataclass(frozen=True)
class WindowOptions:
    """How windows are tested.

    Attributes
    ----------
    coder : {"fields", "text", "zstd", "lz4", "gzip", "openzl"}
        What measures rows: counts of typed fields, exact and fast; counts of bytes in their
        contexts, as exact; or a codec that compresses them anew for every draw.
    n_permutations : int
        Draws for each window; all other subsets where these are fewer.
    null : {"auto", "rows", "shift", "groups"}
        What might as well have been the window: any rows (exchangeable), any neighbours (ordered
        data), whole groups. "auto" takes groups where they are given, else shift where the
        baseline has an order, else rows; hours of times that rows are in the order of are left out.
    groups : str, optional
        Column that says which rows belong together.
    alpha : float
        Level of the decision.
    fields : mapping of str to str, optional
        Kinds that override what the values say, by field name.
    rng : None, int or numpy.random.Generator
        Seed of the draws.
    """

    coder: str = "fields"
    n_permutations: int = 999
    null: str = "auto"
    groups: str | None = None
    alpha: float = 0.05
    fields: Mapping[str, str] | None = None
    rng: int | np.random.Generator | None = None

    def __post_init__(self) -> None:
        """Check every value."""
        check_choice("coder", self.coder, CODERS)
        check_choice("null", self.null, AUTO_NULLS)
        check_count("n_permutations", self.n_permutations)
        check_level(self.alpha)
        if self.null == "groups" and self.groups is None:
            raise OptionError(
                'null="groups" needs groups="column", whose values say which rows stay together'
            )

    @property
    def leave_clocks(self) -> bool:
        """Whether times that rows are in the order of are left out: every window differs in them.

        Lines of text and of a codec hold them, and numbers that count rows, so that there the null
        has to mind the order.
        """
        return self.null == "auto" and self.groups is None and self.coder == "fields"

    def seed(self) -> int:
        """Seed of the draws; a fresh one where `rng` is None."""
        try:
            return int(np.random.default_rng(self.rng).integers(2**63))
        except (TypeError, ValueError) as error:
            raise OptionError(
                f"rng={self.rng!r} is no seed; expected None, an int or a Generator"
            ) from error


@dataclass(frozen=True)
class ScanOptions(WindowOptions):
    """How the windows of a scan are tested: `WindowOptions` and what only many windows need.

    Attributes
    ----------
    control : {"fdr", "fpr", "fwer", "by", "storey"}
        Of the p-values of all windows.
    max_permutations : int
        Draws at most of a window whose p-value is as small as fewer allow.
    time : str, optional
        Column of the times that windows of a length of time go by.
    tell : callable, optional
        Called with the plan before the scan runs; `print`, for example.
    """

    control: str = "fdr"
    max_permutations: int = 1_000_000
    time: Hashable | None = None
    tell: Callable[[ScanPlan], Any] | None = None

    def __post_init__(self) -> None:
        """Check every value."""
        super().__post_init__()
        check_control(self.control)
        check_count("max_permutations", self.max_permutations)


def window_options(given: Mapping[str, Any]) -> WindowOptions:
    """Options from keywords; an unknown one is an error that lists those there are."""
    for name in given:
        check_choice("option", name, inspect.signature(WindowOptions).parameters)
    return WindowOptions(**given)


def check_count(name: str, value: Any, least: int = 1) -> int:
    """A whole number from `least` on."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise OptionError(
            f"{name}={value!r} is not possible; expected a whole number from {least} on"
        )
    return int(value)


def check_level(alpha: Any) -> None:
    """A number between 0 and 1."""
    if isinstance(alpha, bool) or not isinstance(alpha, (float, Real)) or not 0 < float(alpha) < 1:
        raise OptionError(f"alpha={alpha!r} is no level; expected a number between 0 and 1")


def check_control(control: Any) -> None:
    """One of the controls of `detect`."""
    check_choice("control", control, CONTROLS)


def check_sizes(n: int, m: int, least: int = MIN_BASELINE) -> None:
    """Enough baseline rows to learn from, and a window that is more than a row."""
    if n < least:
        raise InputError(f"the baseline has {n} row(s); at least {least} are needed")
    if m < 2:
        raise InputError(
            f"the window has {m} row(s); at least 2 are needed, detect judges single rows"
        )
