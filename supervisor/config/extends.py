"""`extends`: a service begins with what another one says, of this file or of another, and says what is different.

Works on trees, before variables are filled in, so that every mistake is told where it stands.
"""

import os.path
from collections.abc import Callable
from collections.abc import Mapping as Mapping_
from pathlib import Path

from supervisor.config.keys.service import SERVICE
from supervisor.config.merge import Merger
from supervisor.config.report import Report, Unreadable
from supervisor.config.suggest import did_you_mean
from supervisor.config.tree import RESET, Entry, Mapping, Node, Position, Scalar, Sequence, kind_of
from supervisor.dataclass import dataclass, field, replace

MOST_NODES = 50_000  # that services get from others, all together

# Gives the tree of a file that `node` names, None after reporting why there is none.
ReadTree = Callable[[Path, Scalar, str], Node | None]


@dataclass(slots=True)
class Extending:
    """Puts services together; `file` is the one that is loaded, `over` what is laid over it, by the names in places."""

    file: Path
    report: Report
    read: ReadTree
    merger: Merger
    over: Mapping_[str, Path] = field(default_factory=dict)
    _trees: dict[Path, Node | None] = field(default_factory=dict)
    _given: int = 0

    @property
    def others(self) -> tuple[Path, ...]:
        """The other files that services came from."""
        return tuple(path for path in self._trees if path != self.file)

    def tree(self, tree: Node) -> Node:
        """The tree with every service complete, and no `extends` in any."""
        services = _get(tree, "services")
        if not isinstance(tree, Mapping) or not isinstance(services, Mapping):
            return tree
        self._trees[self.file] = tree
        complete = [Entry(each.key, self._service(each, self.file, ())) for each in services]
        whole = Mapping(services.place, tuple(complete))
        return Mapping(
            tree.place, tuple(Entry(each.key, whole if each.value is services else each.value) for each in tree)
        )

    def _service(self, entry: Entry, file: Path, chain: tuple[tuple[Path, str], ...]) -> Node:
        node, name = entry.value, entry.key.text
        extends = _get(node, "extends")
        if extends is None or extends.tag == RESET or not isinstance(node, Mapping):
            return node
        own = replace(node, entries=tuple(each for each in node if each.key.text != "extends"))
        where = f"services.{name}.extends"
        target = self._target(extends, where)
        if target is None:
            return own
        path_node, service_node = target
        path = file
        if path_node is not None:
            said_in = self.over.get(path_node.place.file, file)
            path = Path(os.path.normpath(said_in.parent / path_node.text))
        link = (path, service_node.text)
        if link in ((file, name), *chain):
            names = " -> ".join(f"`{each}`" for _, each in (*chain, (file, name), link))
            self.report.error(service_node.place, f"{where}: a cycle, {names}", "remove one of the links")
            return own
        base = self._base(path, path_node, service_node, where)
        if base is None:
            return own
        whole = self._service(base, path, (*chain, (file, name)))
        if not isinstance(whole, Mapping):
            return own
        self._given += weight(whole)
        if self._given > MOST_NODES:
            self.report.error(extends.place, f"{where}: more than {MOST_NODES} values come from other services")
            raise Unreadable
        return self.merger.merge(whole, own, SERVICE)

    def _target(self, extends: Node, where: str) -> tuple[Scalar | None, Scalar] | None:
        """The nodes of the file and the service, None after reporting what is wrong."""
        if isinstance(extends, Scalar) and not extends.is_null:
            return None, extends
        if not isinstance(extends, Mapping):
            hint = "write `NAME`, or `{file: FILE, service: NAME}`"
            words = f"{where}: expected the name of a service or a mapping, found {kind_of(extends)}"
            self.report.error(extends.place, words, hint)
            return None
        found: dict[str, Scalar] = {}
        for each in extends:
            key, value = each.key.text, each.value
            if key not in ("file", "service"):
                hint = did_you_mean(key, ("file", "service")) or "known keys: file, service"
                self.report.error(each.key.place, f"{where}: unknown key {self.report.quote(key)}", hint)
                return None
            if not isinstance(value, Scalar) or value.is_null:
                words = f"{where}.{key}: expected a text, found {kind_of(value)}"
                self.report.error(value.place, words, "give it a value or leave it out")
                return None
            found[key] = value
        if "service" not in found:
            self.report.error(
                extends.place, f"{where} has no `service`", "say which one: `{file: FILE, service: NAME}`"
            )
            return None
        return found.get("file"), found["service"]

    def _base(self, path: Path, path_node: Scalar | None, service: Scalar, where: str) -> Entry | None:
        if path not in self._trees and path_node is not None:
            self._trees[path] = self.read(path, path_node, where)
        tree = self._trees.get(path)
        if tree is None:
            return None
        services = _get(tree, "services")
        entries: dict[str, Entry] = {}
        if isinstance(services, Mapping):
            entries = {each.key.text: each for each in services if each.value.tag != RESET}
        if service.text not in entries:
            what = f"{where}: there is no service {self.report.quote(service.text)}"
            what += f" in {self.report.quote(path_node.text)}" if path_node is not None else ""
            self.report.error(service.place, what, did_you_mean(service.text, entries))
        return entries.get(service.text)


def relocated(node: Node, file: str) -> Node:
    """The same node, whose places say that they are in this file."""
    place = replace(node.place, file=file)
    match node:
        case Scalar():
            return replace(node, place=place)
        case Sequence():
            return replace(node, place=place, items=tuple(relocated(item, file) for item in node.items))
        case Mapping():
            entries = (
                Entry(replace(each.key, place=replace(each.key.place, file=file)), relocated(each.value, file))
                for each in node
            )
            return replace(node, place=place, entries=tuple(entries))


def weight(node: Node) -> int:
    """How many values there are in it."""
    match node:
        case Scalar():
            return 1
        case Sequence():
            return 1 + sum(map(weight, node.items))
        case Mapping():
            return 1 + sum(weight(each.value) for each in node)


class InFile(Report):
    """A report whose mistakes are all in another file; they go to the report of the whole."""

    def __init__(self, whole: Report, file: str) -> None:
        super().__init__(file)
        self._whole = whole

    def error(self, place: Position, message: str, hint: str = "", file: str = "") -> None:
        self._whole.error(place, message, hint, file or self.file)


def _get(node: Node, name: str) -> Node | None:
    if not isinstance(node, Mapping):
        return None
    return next((each.value for each in node if each.key.text == name), None)
