"""Values as JSON and YAML files have them, right and wrong ones."""

import sys

from hypothesis import strategies as st

# What programs trip over.
ODD = st.sampled_from(
    [0, -1, 1, 2**31, 2**63, 10**400, 1e308, float("inf"), float("-inf"), float("nan"), True, "", "\0"]
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), ODD)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
DEEP = st.integers(1, 40).map(lambda factor: factor * (sys.getrecursionlimit() // 10))


def shaped(fields: "dict[str, object]") -> "st.SearchStrategy[dict[str, object]]":
    """A good object with some of its values replaced, and others added."""
    replaced = st.dictionaries(st.sampled_from(list(fields)), TREES, max_size=3)
    more = st.dictionaries(st.text(max_size=8), TREES, max_size=2)
    return st.builds(lambda wrong, also: {**fields, **also, **wrong}, replaced, more)
