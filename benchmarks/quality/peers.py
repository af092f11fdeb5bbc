"""The peers: a baseline and tested rows in, one score a tested row out, the larger the stranger.

What a careful user would do is done for them. Numbers are standardised, with a flag for missing
ones; strings of few values become one-hot columns with one more for a value never seen, others the
logarithm of their frequency; times become hour and weekday; near-unique identifiers are dropped.
They are told which column is a text and see it as TF-IDF of character 2- to 4-grams in 32
dimensions, with its length and the number of grams that are in no other row.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import zstandard
from pyod.models.copod import COPOD
from pyod.models.ecod import ECOD
from pyod.models.hbos import HBOS
from pyod.models.iforest import IForest
from pyod.models.knn import KNN
from pyod.models.lof import LOF
from pyod.models.ocsvm import OCSVM
from scipy.sparse import csr_matrix
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import IsolationForest
from sklearn.feature_extraction.text import TfidfVectorizer
from worlds import Task

Matrices = tuple[np.ndarray, np.ndarray]

FEW_VALUES, ALMOST_ALL, DIMENSIONS, NEIGHBOURS = 30, 0.95, 32, 5


# ------------------------------------------------------------------- encoding
def encoded(task: Task) -> Matrices:
    """Baseline and tested rows as numbers, with what the baseline alone teaches."""
    parts = []
    for name in task.baseline.columns:
        encode = _text if name == task.text else _column
        parts.append(encode(task.baseline[name], task.tested[name]))
    known, new = (np.hstack(side).astype(float) for side in zip(*parts, strict=True))
    return known, new


def _column(known: pd.Series, new: pd.Series) -> Matrices:
    numbers, new_numbers = _as_numbers(known), _as_numbers(new)
    if not pd.api.types.is_datetime64_any_dtype(known) and numbers.notna().mean() > ALMOST_ALL:
        filled = (side.fillna(numbers.median()).to_numpy() for side in (numbers, new_numbers))
        scaled = _standardised(*filled)
        return tuple(
            np.column_stack([values, side.isna()])
            for values, side in zip(scaled, (numbers, new_numbers), strict=True)
        )
    times, new_times = _as_times(known), _as_times(new)
    if times.notna().mean() > ALMOST_ALL:
        return _clock(times), _clock(new_times)
    return _symbols(known.astype(str), new.astype(str))


def _as_numbers(values: pd.Series) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(values):
        return pd.Series(np.nan, values.index)
    return pd.to_numeric(values, errors="coerce").astype(float).replace([np.inf, -np.inf], np.nan)


def _as_times(values: pd.Series) -> pd.Series:
    return pd.to_datetime(values, errors="coerce", utc=True, format="ISO8601")


def _clock(times: pd.Series) -> np.ndarray:
    hours = times.dt.hour + times.dt.minute / 60
    angle = hours.fillna(0) * (2 * np.pi / 24)
    weekday = (times.dt.weekday.fillna(3) - 3) / 2
    return np.column_stack([np.cos(angle), np.sin(angle), weekday, times.isna()])


def _symbols(known: pd.Series, new: pd.Series) -> Matrices:
    counts = known.value_counts()
    if len(counts) > ALMOST_ALL * len(known):
        return np.empty((len(known), 0)), np.empty((len(new), 0))
    if len(counts) <= FEW_VALUES:
        symbols = counts.index.to_numpy()
        return tuple(
            np.column_stack([side.to_numpy()[:, None] == symbols, ~side.isin(symbols)])
            for side in (known, new)
        )
    logs = (np.log1p(side.map(counts).fillna(0).to_numpy()) for side in (known, new))
    return tuple(scaled[:, None] for scaled in _standardised(*logs))


def _text(known: pd.Series, new: pd.Series) -> Matrices:
    weigher = _weigher(min_df=2)
    grams, new_grams = weigher.fit_transform(known), weigher.transform(new)
    svd = TruncatedSVD(min(DIMENSIONS, grams.shape[1] - 1), random_state=0)
    places, new_places = svd.fit_transform(grams), svd.transform(new_grams)
    scale = places.std()  # one for all, so that the grams' own weights stay
    about, new_about = _standardised(_about_text(known, weigher), _about_text(new, weigher))
    return np.hstack([places / scale, about]), np.hstack([new_places / scale, new_about])


def _about_text(texts: pd.Series, weigher: TfidfVectorizer) -> np.ndarray:
    """Logarithms of the length and of the number of grams that the vocabulary lacks."""
    grams_of = weigher.build_analyzer()
    rows = []
    for text in texts:
        unknown = sum(gram not in weigher.vocabulary_ for gram in grams_of(text))
        rows.append((np.log1p(len(text)), np.log1p(unknown)))
    return np.array(rows)


def _weigher(min_df: int) -> TfidfVectorizer:
    return TfidfVectorizer(analyzer="char", ngram_range=(2, 4), lowercase=False, min_df=min_df)


def _standardised(known: np.ndarray, new: np.ndarray) -> Matrices:
    center, spread = known.mean(axis=0), known.std(axis=0)
    spread = np.where(spread == 0, 1.0, spread)
    return (known - center) / spread, (new - center) / spread


# -------------------------------------------------------------------- scoring
def by_pyod(detector: Callable[[], object], task: Task) -> np.ndarray:
    known, new = encoded(task)
    return detector().fit(known).decision_function(new)


def by_isolation_forest(task: Task) -> np.ndarray:
    known, new = encoded(task)
    return -IsolationForest(random_state=0).fit(known).score_samples(new)


def by_nearest_text(task: Task) -> np.ndarray:
    """Mean cosine distance to the five nearest baseline rows; a table's rows are JSON lines."""
    weigher = _weigher(min_df=1)
    known: csr_matrix = weigher.fit_transform(lines(task.baseline))
    likeness = (weigher.transform(lines(task.tested)) @ known.T).toarray()
    return 1.0 - np.sort(likeness, axis=1)[:, -NEIGHBOURS:].mean(axis=1)


def by_ncd(task: Task) -> np.ndarray:
    """NCD(B, w) with zstd at level 3, the whole baseline against one row."""
    zstd = zstandard.ZstdCompressor(level=3)

    def size(data: bytes) -> int:
        return len(zstd.compress(data))

    baseline = "\n".join(lines(task.baseline)).encode() + b"\n"
    own = size(baseline)
    scores = []
    for line in lines(task.tested):
        row = line.encode() + b"\n"
        alone = size(row)
        scores.append((size(baseline + row) - min(own, alone)) / max(own, alone))
    return np.array(scores)


def lines(table: pd.DataFrame) -> list[str]:
    """A row a line, as JSON; a lone text column as it is."""
    if list(table.columns) == ["text"]:
        return table["text"].tolist()
    return table.to_json(orient="records", lines=True, date_format="iso").splitlines()


PEERS: dict[str, Callable[[Task], np.ndarray]] = {
    "ECOD": partial(by_pyod, ECOD),
    "COPOD": partial(by_pyod, COPOD),
    "HBOS": partial(by_pyod, HBOS),
    "IForest": partial(by_pyod, partial(IForest, random_state=0)),
    "KNN": partial(by_pyod, KNN),
    "LOF": partial(by_pyod, LOF),
    "OCSVM": partial(by_pyod, OCSVM),
    "IsolationForest": by_isolation_forest,
    "TF-IDF nearest": by_nearest_text,
    "NCD zstd": by_ncd,
}
