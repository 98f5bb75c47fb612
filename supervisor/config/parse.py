"""From YAML text to a tree with positions.  The only module that imports yaml.

The tree is built from the parser's events, not by yaml's own composer: nesting, aliases that multiply and values that
contain themselves are refused while they are read, before anything is copied or walked.
"""

from collections.abc import Iterator

import yaml

from supervisor.annotations import NoReturn
from supervisor.config import syntax_errors, tabs
from supervisor.config.lines import indent_of
from supervisor.config.report import Report, Unreadable
from supervisor.config.tree import (
    FALSE,
    NULLS,
    OLD_BOOLEANS,
    RESET,
    TAGS,
    TRUE,
    Entry,
    Mapping,
    Node,
    Position,
    Scalar,
    Sequence,
    moved,
)
from supervisor.dataclass import dataclass, field

DEEPEST = 50  # levels of nesting
MOST_NODES = 50_000  # every alias counted as often as it is used
LONGEST_KEY = 500
CHARACTERS = 16  # of text that count as much as one more node

_LOADER = getattr(yaml, "CLoader", yaml.Loader)  # libyaml's parser is ten times as fast; only its events are used
_STR_TAGS = ("!", "tag:yaml.org,2002:str")
_Start = yaml.SequenceStartEvent | yaml.MappingStartEvent
_Tagged = yaml.ScalarEvent | _Start


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not been read yet."""

    start: _Start
    children: list[Node] = field(default_factory=list)
    depth: int = 0  # levels of the deepest child
    weight: int = 1  # nodes, aliases expanded


def parse(text: str, report: Report) -> Node | None:
    """The tree of the first document, None for an empty one; raises Unreadable after reporting why."""
    try:
        return _Builder(report, text.split("\n")).build(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        if syntax_errors.report_on(error, text, report) and (tree := _without_tabs(text, report)) is not None:
            return tree
    except yaml.YAMLError as error:  # a character that the reader refuses
        report.error(Position(), f"cannot be read as YAML: {error}".splitlines()[0])
    except (RecursionError, ValueError) as error:
        report.error(Position(), f"cannot be read as YAML: {error}")
    raise Unreadable


class _Builder:
    def __init__(self, report: Report, lines: list[str]) -> None:
        self._report = report
        self._lines = lines
        self._anchors: dict[str, tuple[Node | None, int, int]] = {}  # node (None while open), depth, weight
        self._stack: list[_Open] = []
        self._root: Node | None = None
        self._documents = 0

    def build(self, events: Iterator[yaml.Event]) -> Node | None:
        for event in events:
            match event:
                case yaml.DocumentStartEvent():
                    self._documents += 1
                    if self._documents > 1:
                        self._refuse(
                            event,
                            "a second document starts here, one file is one stack",
                            "remove the line `---`, or put the rest in a file of its own",
                        )
                case yaml.ScalarEvent():
                    self._check_tag(event)
                    if "\0" in event.value:
                        self._refuse(event, "NUL character in a text, no program can be given one", "remove it")
                    self._add(event, _scalar(event, self._lines), 0, 1 + len(event.value) // CHARACTERS)
                case yaml.AliasEvent():
                    self._add_alias(event)
                case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                    self._open(event)
                case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                    self._close()
                case _:
                    pass
        return self._root

    def _open(self, event: _Start) -> None:
        self._check_tag(event)
        if len(self._stack) >= DEEPEST:
            self._refuse(event, f"nested more than {DEEPEST} levels deep")
        if event.anchor:
            self._anchors[event.anchor] = (None, 0, 0)
        self._stack.append(_Open(event))

    def _close(self) -> None:
        done = self._stack.pop()
        place = _place(done.start)
        is_list = isinstance(done.start, yaml.SequenceStartEvent)
        if is_list:
            for item in done.children:
                self._check_place_of_tag(item)
        node = Sequence(place, tuple(done.children), _tag(done.start)) if is_list else self._mapping(done, place)
        self._add(done.start, node, done.depth + 1, done.weight)

    def _add(self, event: _Tagged | yaml.AliasEvent, node: Node, depth: int, weight: int) -> None:
        if event.anchor and not isinstance(event, yaml.AliasEvent):
            self._anchors[event.anchor] = (node, depth, weight)
        if not self._stack:
            self._check_place_of_tag(node)
            self._root = node
            return
        parent = self._stack[-1]
        parent.children.append(node)
        parent.depth = max(parent.depth, depth)
        parent.weight += weight
        if parent.weight > MOST_NODES:
            self._refuse(event, f"more than {MOST_NODES} values, aliases counted wherever they are used")

    def _add_alias(self, event: yaml.AliasEvent) -> None:
        name = str(event.anchor)
        alias = self._report.quote(f"*{name}")
        if name not in self._anchors:
            self._refuse(event, f"unknown alias {alias}", f"define it before with `&{name[:60]}`")
        node, depth, weight = self._anchors[name]
        if node is None:
            self._refuse(event, f"alias {alias} contains itself")
        if len(self._stack) + depth > DEEPEST:
            self._refuse(event, f"nested more than {DEEPEST} levels deep")
        self._add(event, node, depth, weight)

    def _mapping(self, done: _Open, place: Position) -> Mapping:
        own: dict[str, Entry] = {}
        for key, value in zip(done.children[::2], done.children[1::2], strict=True):
            self._check_place_of_tag(key)
            if value.tag == RESET and not _is_empty(value):
                hint = "for another value leave the tag out; `!override` replaces a whole mapping"
                self._report.error(value.place, "`!reset` takes away, so it has no value", hint)
            if not isinstance(key, Scalar):
                self._report.error(key.place, "a list or mapping cannot be a key", "keys are plain text")
            elif key.text in own:
                line, column = own[key.text].key.place.line, own[key.text].key.place.column
                name = self._report.quote(key.text)
                reason = f"duplicate key {name}, first given in line {line}, column {column}"
                hint = "write `<<: [*one, *two]`" if _is_merge(key) else "keep one of them"
                self._report.error(key.place, reason, hint)
            else:
                self._check_key(key)
                own[key.text] = Entry(key, value)
        if "<<" in own and _is_merge(own["<<"].key):
            self._check_place_of_tag(own["<<"].value)
            for source in self._merge_sources(own.pop("<<").value):
                for entry in source:
                    own.setdefault(entry.key.text, entry)
        return Mapping(place, tuple(own.values()), _tag(done.start))

    def _check_place_of_tag(self, node: Node) -> None:
        if node.tag:
            reason = f"tag `{node.tag}` is for the value of a key, to take away or replace what is below it"
            self._report.error(node.place, reason, "remove it")

    def _merge_sources(self, value: Node) -> list[Mapping]:
        sources = value.items if isinstance(value, Sequence) else (value,)
        for source in sources:
            if not isinstance(source, Mapping):
                self._report.error(source.place, "`<<` merges mappings only", "write `<<: *name` or `<<: [*one, *two]`")
        return [source for source in sources if isinstance(source, Mapping)]

    def _check_key(self, key: Scalar) -> None:
        if len(key.text) > LONGEST_KEY:
            self._report.error(key.place, f"a key is longer than {LONGEST_KEY} characters", "close its quotes")
            raise Unreadable
        if key.quoted or _is_merge(key) or key.text == "on":  # of `notify`: a boolean in YAML 1.1 alone
            return
        name = self._report.quote(key.text)
        quoted = f'put it in quotes: `"{key.text}":`'
        if key.text in NULLS:
            is_word = key.text.lower() == "null"  # as the name of a variable
            self._report.error(key.place, "a key is missing before `:`", quoted if is_word else "")
        elif key.text.lower() in OLD_BOOLEANS or key.text in TRUE + FALSE:
            meaning = "true" if key.text.lower() in ("yes", "on", "true") else "false"
            self._report.error(key.place, f"key {name} is not text: YAML reads the bare word as {meaning}", quoted)
        elif not key.is_text:
            self._report.error(key.place, f"key {name} is a number, keys are text", quoted)

    def _check_tag(self, event: _Tagged) -> None:
        if event.tag in TAGS:
            self._report.has_tags = True
        elif event.tag and event.tag not in _STR_TAGS:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._refuse(
                event, f"tag {self._report.quote(tag)} is not allowed", "remove it: portsup reads plain values only"
            )

    def _refuse(self, event: yaml.Event, message: str, hint: str = "") -> NoReturn:
        self._report.error(_place(event), message, hint)
        raise Unreadable


def _is_merge(key: Scalar) -> bool:
    return key.text == "<<" and not key.quoted


def _place(event: yaml.Event) -> Position:
    mark = event.start_mark
    return Position(mark.line + 1, mark.column + 1) if mark else Position()


def _scalar(event: yaml.ScalarEvent, lines: list[str]) -> Scalar:
    quoted = bool(event.style) or event.tag in _STR_TAGS
    start, end = event.start_mark, event.end_mark
    shift = None
    # An anchor stands before the text, escapes and folding change it: then columns inside it have no meaning.
    if start and end and start.line == end.line and not event.anchor and not event.tag:
        quotes = 1 if event.style in ("'", '"') else 0
        if end.index - start.index - 2 * quotes == len(event.value):
            shift = quotes
    indent = (
        indent_of(event.value, lines[start.line + 1 : start.line + 2 + event.value.count("\n")])
        if event.style == "|" and start
        else None
    )
    return Scalar(_place(event), event.value, quoted, shift, tag=_tag(event), indent=indent)


def _tag(event: _Tagged) -> str:
    return event.tag if event.tag in TAGS else ""


def _is_empty(node: Node) -> bool:
    match node:
        case Scalar():
            return node.is_null
        case Sequence():
            return not node.items
        case Mapping():
            return not node.entries


def _without_tabs(text: str, report: Report) -> Node | None:
    """The tree of a text whose tabs in indentations are taken for spaces, so that other mistakes are told as well."""
    for width in (8, 4, 2):
        spaces, further = tabs.spaced(text, width)
        try:
            tree = _Builder(report, spaces.split("\n")).build(yaml.parse(spaces, Loader=_LOADER))
        except (yaml.YAMLError, RecursionError, ValueError):
            continue
        return None if tree is None else moved(tree, further)
    return None
