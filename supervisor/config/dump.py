"""Plain data as YAML text; with parse.py the one place that knows YAML."""

import re

import yaml

from supervisor.annotations import Any

# Texts for PyYAML, and numbers or booleans for readers of YAML 1.2, or of all of 1.1: those of compose and Kubernetes.
_LIKE_OTHERS = re.compile(r"[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?|[-+]?0[bo]?\d+|[yYnN]", re.ASCII)
_LINE_ENDS = frozenset("\x85\u2028\u2029")  # outside of double quotes YAML 1.1 takes them for the end of a line


class _Dumper(yaml.SafeDumper):
    """Writes every text so that it is read as this text again."""

    def represent_text(self, text: str) -> yaml.Node:
        return self._text(text, None)

    def _text(self, text: str, style: str | None) -> yaml.Node:
        if _LINE_ENDS.intersection(text):
            style = '"'
        elif style is None and _LIKE_OTHERS.fullmatch(text):
            style = "'"
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _Dumper.represent_text)


def as_yaml(data: Any) -> str:
    """`data` as YAML, in the order it has."""
    return str(yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100))


class _Document(_Dumper):
    """Writes short lists on one line, and texts of several lines as they are."""

    def represent_text(self, text: str) -> yaml.Node:
        is_block = "\n" in text.rstrip("\n") and not any(line != line.rstrip() for line in text.split("\n"))
        return self._text(text, "|" if is_block else None)

    def represent_items(self, items: list[Any]) -> yaml.Node:
        is_short = len(str(items)) < 90 and not any(isinstance(item, dict | list) for item in items)
        return self.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=is_short)

    def represent_number(self, number: float) -> yaml.Node:
        return self.represent_data(int(number)) if number.is_integer() else self.represent_float(number)

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Document.add_representer(str, _Document.represent_text)
_Document.add_representer(list, _Document.represent_items)
_Document.add_representer(float, _Document.represent_number)


def as_document(data: Any) -> str:
    """`data` as YAML for people to read, for files of other programs."""
    return str(yaml.dump(data, Dumper=_Document, sort_keys=False, allow_unicode=True, width=1_000_000))
