"""Lays what one place says over what another one says: the one merge, for `extends` and for several files.

Mappings are merged key by key, everything else is replaced.  Works on trees, before variables are filled in, so that
every mistake is told where it stands.
"""

import re

from supervisor.config.kinds import VARIABLE, Key, Kind, Named, Section, Shape
from supervisor.config.report import Report
from supervisor.config.tree import OVERRIDE, RESET, Entry, Mapping, Node, Position, Scalar, Sequence
from supervisor.dataclass import dataclass, field, replace

_ONE_VALUE = (Shape.POOL, Shape.EXTENDS, Shape.ENV_FILES)  # replaced as a whole, however they are written


@dataclass(slots=True)
class Merger:
    """Merges trees; `!reset` and `!override` stay in them until `settle`, as there may be more to lay them over."""

    report: Report
    _heeded: set[Position] = field(default_factory=set)  # of tags that had something to work on

    def merge(self, base: Mapping, own: Mapping, kind: Kind | None = None) -> Mapping:
        """`base` with what `own` says otherwise; of keys that exclude each other, such as two probes, `own` decides."""
        keys: dict[str, Key] = {key.name: key for key in kind.keys} if isinstance(kind, Section) else {}
        said = {each.key.text: each for each in own}
        rivals = kind.one_of if isinstance(kind, Section) else ()
        decides = any(name in said and said[name].value.tag != RESET for name in rivals)
        entries: list[Entry] = []
        for each in base:
            name = each.key.text
            mine = said.pop(name, None)
            if mine is None:
                if not decides or name not in rivals:
                    entries.append(each)
            elif isinstance(kind, Named):  # a service stands where it was named first
                value = self._over(each.value, mine.value, kind.section)
                both = isinstance(value, Mapping) and isinstance(each.value, Mapping) and not value.tag
                entries.append(Entry(each.key, replace(value, place=each.value.place) if both else value))
            else:
                inner = keys[name].kind if name in keys else None
                entries.append(Entry(mine.key, self._over(each.value, mine.value, inner)))
        return Mapping(own.place, (*entries, *said.values()))

    def settle(self, node: Node) -> Node:
        """The tree without tags, and without what they take away."""
        match node:
            case Mapping():
                kept = []
                for each in node:
                    tag = each.value.tag
                    if tag and each.value.place not in self._heeded:
                        what = "take away" if tag == RESET else "replace"
                        self.report.warn(each.value.place, f"{each.key.text}: there is nothing for `{tag}` to {what}")
                    if tag != RESET:
                        kept.append(Entry(each.key, self.settle(each.value)))
                return Mapping(node.place, tuple(kept))
            case Sequence():
                return Sequence(node.place, tuple(map(self.settle, node.items)))
            case Scalar():
                return replace(node, tag="") if node.tag else node

    def _over(self, base: Node, own: Node, kind: Kind | None) -> Node:
        if own.tag:
            if base.tag != RESET:
                self._heeded.add(own.place)
            return own
        if base.tag == RESET:  # what is below that has been taken away, and stays so
            self._heeded.add(own.place)
            return replace(own, tag=OVERRIDE)
        low, high = _long(base, kind, own), _long(own, kind, base)
        if kind not in _ONE_VALUE and isinstance(low, Mapping) and isinstance(high, Mapping):
            return replace(self.merge(low, high, kind), tag=base.tag)
        return replace(own, tag=base.tag) if base.tag else own


def _long(node: Node, kind: Kind | None, other: Node) -> Node:
    """A short form as the mapping that it stands for; the node itself where it has none, or is wrong."""
    match node, kind:
        case Scalar(), Shape.HTTP if isinstance(other, Mapping) and not node.is_null:
            return Mapping(node.place, (Entry(Scalar(node.place, "path", quoted=True), node),))
        case Sequence(), Shape.ENVIRONMENT | Shape.DEPENDS_ON:
            entries = [_entry(item, kind) for item in node.items]
            found = {each.key.text: each for each in entries if each is not None}
            return Mapping(node.place, tuple(found.values())) if len(found) == len(entries) else node
    return node


def _entry(item: Node, kind: Shape) -> Entry | None:
    if not isinstance(item, Scalar) or item.is_null:
        return None
    if kind is Shape.DEPENDS_ON:
        return Entry(replace(item, quoted=True), Scalar(item.place, "ready", quoted=True))
    name, equals, text = item.text.partition("=")
    if not re.fullmatch(VARIABLE, name, re.ASCII):
        return None
    shift = None if item.shift is None else item.shift + len(name) + 1
    value = Scalar(item.place, text, True, shift) if equals else Scalar(item.place, "")
    return Entry(Scalar(item.place, name, quoted=True), value)
