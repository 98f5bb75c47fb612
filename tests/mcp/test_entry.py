"""Our entry in the configuration of a client, beside whatever else people have in there."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.mcp.entry import CLIENTS, Different, Unreadable, entered

ENTRY = {"type": "stdio", "command": "portsup", "args": ["mcp"]}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)

INDENTS = st.sampled_from([None, 1, 2, "\t"])
Values = dict[str, object]


@pytest.mark.parametrize("text", ["", "  \n", "{}", "{ }\n", '{"mcpServers": {}}', '{"mcpServers": {\n  }\n}'])
def test_an_empty_file_gets_it_alone(text: str) -> None:
    made = entered(text, "mcpServers", ENTRY)
    assert json.loads(made) == {"mcpServers": {"portsup": ENTRY}}
    assert entered(made, "mcpServers", ENTRY) == made


def test_everything_else_stays_to_the_byte() -> None:
    text = """\
// servers of the project
{
\t"inputs": [1.50, 1e400, 12345678901234567890123],
\t"servers": {
\t\t/* the "old" one } */
\t\t"other": {"command": "x", "args": ["}", "\\"{", "//no comment"],},
\t},
\t"a": {"servers": {"portsup": 1}}
}
"""
    made = entered(text, "servers", ENTRY)
    lines = made.splitlines(keepends=True)
    added = lines[4:11]
    assert "".join(lines[:4] + lines[11:]) == text
    assert "".join(added).strip().rstrip(",") == '"portsup": ' + json.dumps(ENTRY, indent="\t").replace("\n", "\n\t\t")
    assert entered(made, "servers", ENTRY) == made


def test_another_entry_of_our_name_is_replaced_only_if_asked() -> None:
    text = '{"mcpServers": {"portsup": {"command": "old", "env": {}}, "b": {}}, "c": 1}'
    with pytest.raises(Different):
        entered(text, "mcpServers", ENTRY)
    made = json.loads(entered(text, "mcpServers", ENTRY, replace=True))
    assert made == {"mcpServers": {"portsup": ENTRY, "b": {}}, "c": 1}


@pytest.mark.parametrize(
    "text",
    ["[]", "1", '"x"', "{", '{"a"}', '{"a": }', '{"a": 1', '{"a": 1 "b": 2}', "{} {}", '{"mcpServers": []}',
     '{"mcpServers": {"a": }}', "{a: 1}", '{"a": "x}', "/* {}", "{'a': 1}", '{"a": [1}'],
)  # fmt: skip
def test_what_is_no_such_file_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        entered(text, "mcpServers", ENTRY)


@given(st.dictionaries(st.text(), JSON, max_size=4), st.dictionaries(st.text(), JSON, max_size=3), INDENTS)
def test_whatever_is_in_there_is_still_in_there(other: Values, servers: Values, indent: int | str | None) -> None:
    servers.pop("portsup", None)
    whole = {**other, "mcpServers": servers}
    text = json.dumps(whole, indent=indent)
    made = json.loads(entered(text, "mcpServers", ENTRY))
    assert made == {**whole, "mcpServers": {**servers, "portsup": ENTRY}}
    other.pop("mcpServers", None)
    assert json.loads(entered(json.dumps(other, indent=indent), "mcpServers", ENTRY)) == {
        **other, "mcpServers": {"portsup": ENTRY},
    }  # fmt: skip


def test_clients_are_known_by_plain_names() -> None:
    assert all(re.fullmatch(r"[a-z.-]+", name) for name in CLIENTS)
