"""Nodes of a saved detector: values and arrays come back exactly, and nothing else is taken."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from saving import back

import driftlock as dl
from driftlock.store import REGISTRY
from driftlock.store.labels import UnstorableError
from driftlock.store.nodes import Reader


def same(one, other) -> bool:
    """Equal to the bit, type by type; one NaN is as good as another."""
    if type(one) is not type(other):
        return False
    if isinstance(one, (float, np.floating)):
        if np.isnan(one):
            return bool(np.isnan(other))
        return np.float64(one).tobytes() == np.float64(other).tobytes()
    if isinstance(one, dict):
        one, other = list(one.items()), list(other.items())
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True)
    | st.text(st.characters(exclude_categories=()))
    | st.binary()
)
hashable = scalars.filter(lambda value: value == value)  # noqa: PLR0124  (NaN is no key)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.lists(st.tuples(hashable, inner)).map(dict)
        | st.frozensets(st.text())
    ),
    max_leaves=20,
)


@given(values)
def test_values_come_back_exactly(value):
    assert same(value, back(value))


@pytest.mark.parametrize(
    "dtype", ["bool", "int8", "uint8", "int64", "uint64", "float32", "float64"]
)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (0, 4), (2, 3), (1, 3), (3, 1)])
def test_arrays_come_back_exactly(dtype, shape):
    array = np.arange(np.prod(shape, dtype=int), dtype="f8").reshape(shape).astype(dtype)
    for given_array in (array, np.asfortranarray(array), array[..., ::-1] if shape else array):
        found = back(given_array)
        assert found.dtype == array.dtype
        assert found.shape == given_array.shape
        assert found.flags.c_contiguous
        assert found.flags.writeable
        np.testing.assert_array_equal(found, given_array)
    read_only = array.copy()
    read_only.flags.writeable = False
    assert back(read_only).flags.writeable
    swapped = array.astype(array.dtype.newbyteorder())
    assert back(swapped).dtype.isnative
    np.testing.assert_array_equal(back(swapped), array)


def test_floats_without_a_number_in_json_and_scalars_of_numpy():
    for value in (-0.0, np.nan, -np.inf, 5e-324, 1e308, 5.0, np.float32(0.1), np.float64(-0.0)):
        assert same(value, back(value))
    for value in (np.int8(3), np.bool_(True), np.uint64(2**64 - 1)):
        assert type(back(value)) is type(value)
        assert back(value) == value
    assert same(np.float64(np.nan), back(np.float64(np.nan)))


@pytest.mark.parametrize(
    "value", [object(), np.array([None]), np.array(["a"]), np.datetime64(1, "s"), 1j, {1, 2}, dl]
)
def test_what_has_no_place_in_a_file_is_refused(value):
    with pytest.raises(UnstorableError):
        back(value)


@pytest.mark.parametrize(
    "node",
    [
        {"is": "os.system", "of": ["true"]},
        {"is": "Detector", "of": {}},
        {"is": "Decision", "of": {"kind": "id"}},
        {"is": "Decision", "of": {"kind": "id", "reason": "", "unit": None, "more": 1}},
        {"is": "Decision", "of": []},
        {"is": "tuple"},
        {"is": "tuple", "of": [], "and": 0},
        {"is": "dict", "of": [["a", 1], ["a", 2]]},
        {"is": "scalar", "of": ["O", 1]},
        {"is": "zone", "of": {"is": "dict", "of": [["library", "os"], ["name", "UTC"]]}},
        {"is": "zone", "of": {"is": "dict", "of": [["library", "dateutil"], ["name", "/etc/x"]]}},
        {"is": "labels", "of": {"is": "dict", "of": [["kind", "pickle"], ["values", []]]}},
    ],
)
def test_nodes_that_mean_nothing_are_refused(node):
    with pytest.raises(UnstorableError):
        Reader(REGISTRY, {}).value(node)
