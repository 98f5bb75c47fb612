"""Finds shell syntax in a command that no shell will read.

portsup splits a text into words like a shell would and starts the program itself, so whatever else a shell makes of
the text would reach the program as an argument.  What stands in quotes is meant for the program, and is left alone;
so is what only looks like syntax: the `&` of an address, the `|` of a pattern, the `>=` of a version.
"""

import re
from collections.abc import Sequence
from enum import StrEnum

from supervisor.dataclass import dataclass

SHELLS = ("sh", "bash", "dash", "zsh", "ksh", "fish", "busybox", "ash")
_PASS_ON = (*SHELLS, "ssh", "watch", "parallel")  # give their arguments to a shell
_COMPARE = ("expr", "test", "[")
_TAKE_BARS = ("awk", "gawk", "mawk", "cut", "tr", "sed", "column", "paste", "sort")

BUILTINS = frozenset((
    "cd", "source", ".", ":", "export", "exec", "set", "unset", "alias", "eval", "ulimit", "umask", "trap", "wait",
    "pushd", "popd", "local", "declare", "typeset", "readonly", "shopt", "read", "let", "shift", "return", "exit",
    "builtin", "command", "type", "if", "for", "while", "until", "case", "select", "function", "[[", "((", "{", "!",
))  # fmt: skip
_BEGIN_A_LINE = frozenset(("cd", "source", ".", "export", "if", "for", "while", "until", "case", "then", "do", "done"))

ASSIGNMENT = r"[A-Za-z_][A-Za-z0-9_]*\+?="
_MASK = "\0"  # in the place of a character in quotes
_OPERATOR = re.compile(
    r"&&|\|\||\|&|&>>?|(?:(?<!\S)\d+)?(?:>>|<<<|<<-?|<>|>\||>&|<&|>|<)(?:(?<=&)[\d-]+)?|;;?|\||&(?!>)"
)
_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_TILDE = re.compile(r"(?<!\S)~(?=/|\s|$)|(?<!\S)~[a-z_][\w-]*/")
_REFERENCE = re.compile(r"\$\$|\$\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}")
_GLOB = re.compile(r"\*|\[!?(?:\w-\w)+\]|^[\w./-]*\?[\w.?-]*\.\w{1,5}$")
_BRACES = re.compile(r"\{[\w./-]*(?:,[\w./-]*)+\}|\{\w+\.\.\w+\}")


class Kind(StrEnum):
    """What a shell would do with it."""

    OPERATOR = "operator"
    SUBSTITUTION = "substitution"
    ASSIGNMENT = "assignment"
    BUILTIN = "builtin"
    TILDE = "tilde"
    VARIABLE = "variable"
    PATTERN = "pattern"
    COMMENT = "comment"
    ONE_WORD = "one word"  # of a list: `npm run dev` as the name of a program
    SCRIPT = "script"  # `sh -c npm start`: the script is `npm` alone


@dataclass(frozen=True, slots=True)
class Syntax:
    """The first thing that needs a shell, where it begins (in a list: in which word), and whether it is in a word."""

    kind: Kind
    token: str
    start: int
    is_inside: bool = False


def bared(text: str) -> tuple[str, str]:
    """`text` with its quoted characters masked: for a shell's operators, and for what counts in double quotes too."""
    bare, soft = list(text), list(text)

    def mask(start: int, end: int, *lists: list[str]) -> None:
        for each in lists:
            each[start:end] = _MASK * (min(end, len(text)) - start)

    at = 0
    while at < len(text):
        end = at + 1
        if reference := _REFERENCE.match(text, at):
            end = reference.end()
            mask(at, end, bare, soft)
        elif text[at] == "\\":
            end = at + 2
            mask(at, end, bare, soft)
        elif text[at] == "'":
            end = text.find("'", at + 1) + 1 or len(text)
            mask(at, end, bare, soft)
        elif text[at] == '"':
            inner = at + 1
            mask(at, at + 1, soft)
            while inner < len(text) and text[inner] != '"':
                step = 2 if text[inner] == "\\" else 1
                if reference := _REFERENCE.match(text, inner):
                    step = reference.end() - inner
                if step > 1:
                    mask(inner, inner + step, soft)
                inner += step
            end = min(inner + 1, len(text))
            mask(at, end, bare)
            mask(end - 1, end, soft)
        at = end
    return "".join(bare), "".join(soft)


def syntax_in(text: str) -> Syntax | None:
    """What a command that is one text has of a shell; None where it is fine as it is."""
    bare, soft = bared(text)
    for each in _OPERATOR.finditer(bare):
        before, after = _around(bare, each.start(), each.end())
        if not _is_literal(each[0], before, after):
            return Syntax(Kind.OPERATOR, each[0], each.start(), bool(before and after))
    words = [(word[0], word.start()) for word in re.finditer(r"\S+", bare)]
    if not words:
        return None
    first, start = words[0]
    if found := re.match(ASSIGNMENT, first):
        return Syntax(Kind.ASSIGNMENT, found[0], start)
    if first in BUILTINS or first.startswith("("):
        return Syntax(Kind.BUILTIN, "(" if first.startswith("(") else first, start)
    for line in re.finditer(r"\n[ \t]*(\S+)[ \t]+\S", bare):
        if line[1] in _BEGIN_A_LINE:
            return Syntax(Kind.BUILTIN, line[1], line.start(1))
    is_shell = any(is_shell_name(word) for word, _ in words)
    if not is_shell and (found := re.search(r"`|\$\(", soft)):
        return Syntax(Kind.SUBSTITUTION, found[0], found.start())
    if found := _TILDE.search(bare):
        return Syntax(Kind.TILDE, found[0], found.start())
    if not is_shell and (found := _VARIABLE.search(soft)):
        return Syntax(Kind.VARIABLE, found[0], found.start())
    if is_shell_name(first) and len(words) > 3 and re.fullmatch(r"-\w*c", words[1][0]):
        script, offset = words[2]
        if _MASK not in script:
            return Syntax(Kind.SCRIPT, script, offset)
    for number, (word, offset) in enumerate(words):  # behind an option it may be a topic, or a colour
        if number and re.match(r"#(?:\w|\Z)", word) and not words[number - 1][0].startswith("-"):
            return Syntax(Kind.COMMENT, "#", offset)
    return _pattern(words)


def syntax_among(words: Sequence[str], written: Sequence[str]) -> Syntax | None:
    """The same for a command that is a list; `written` are its words before variables were filled in."""
    if not words:
        return None
    first, name = words[0], words[0].rpartition("/")[2]
    if re.search(r"\s", first.strip()) and not re.search(r"\s\S*/", first.strip()):
        return Syntax(Kind.ONE_WORD, first, 0)
    if found := re.match(ASSIGNMENT, first):
        return Syntax(Kind.ASSIGNMENT, found[0], 0)
    if first in BUILTINS and first not in ("{", "!"):
        return Syntax(Kind.BUILTIN, first, 0)
    is_script = is_shell_name(first) and len(words) > 3 and re.fullmatch(r"-\w*c", words[1])
    if is_script and re.fullmatch(r"[\w./:@=-]+", words[2]):
        return Syntax(Kind.SCRIPT, words[2], 2)
    for number, word in enumerate(words):
        if word.rpartition("/")[2] in _PASS_ON:
            return None
        before = words[number - 1] if number else ""
        has_more = number + 1 < len(words)
        if _is_operator(word, before, has_more, name, words):
            return Syntax(Kind.OPERATOR, word, number)
        if _TILDE.match(word) and not re.search(r"\s", word):
            return Syntax(Kind.TILDE, word, number)
        if re.match(r"(?:--?[\w-]+=)?(?:`[^`]*`|\$\([^)'\"]*\))$", word):
            return Syntax(Kind.SUBSTITUTION, word, number)
        if "$$" not in written[number] and re.fullmatch(r"[^\s{}()'\"$^|\\]*\$[A-Za-z_]\w*[^\s{}()'\"^|\\]*", word):
            found = _VARIABLE.search(word)
            assert found
            return Syntax(Kind.VARIABLE, found[0], number)
    return None


def is_shell_name(word: str) -> bool:
    """Whether a word of a command is the name or path of a shell."""
    return word.rpartition("/")[2] in SHELLS


def _around(bare: str, start: int, end: int) -> tuple[str, str]:
    """What stands before and behind an operator in the same word."""
    before = re.search(r"\S*\Z", bare[:start])
    after = re.match(r"\S*", bare[end:])
    return before[0] if before else "", after[0] if after else ""


def _is_literal(operator: str, before: str, after: str) -> bool:
    """Whether what looks like an operator is a part of an argument."""
    if not before or not after:
        # `<name>`, which somebody has to fill in
        return bool(re.fullmatch(r"[\w-]+>", after) if operator == "<" else re.search(r"<[\w-]+\Z", before))
    match operator:
        case "&":
            return True  # of an address or a form: `?a=1&b=2`
        case ";":  # `jdbc:h2:mem:x;MODE=y`, `text/html;charset=utf-8`
            return bool(re.match(r"[\w.-]+=", after) and re.search(r"[:=/]", before))
        case "|":
            return before.count("(") > before.count(")") or bool(re.search(r"[\^\\*+\[]", before + after))
        case "<" | ">":
            is_version = before[-1] == "," or (before[-1].isalnum() and after[:1].isdigit())
            return after[0] == "=" or before[-1] in "-=<" or is_version or bool(re.match(r"[\w-]+>", after))
    return False


def _is_operator(word: str, before: str, has_more: bool, program: str, words: Sequence[str]) -> bool:
    """Whether a whole word of a list is an operator, and no argument of a program that takes such."""
    if word in ("&&", "||", "|&") or re.fullmatch(r"\d?>&\d|&>>?\S*", word):
        return True
    if program in _COMPARE:
        return False
    if re.fullmatch(r"\d?(?:>>|>)[\w./-]*", word):
        return has_more or len(word.lstrip("0123456789")) > 1
    if word == "|":
        return has_more and not before.startswith("-") and program not in _TAKE_BARS
    if word == ";":
        return not any(each.startswith(("-exec", "-ok")) for each in words)
    return (word == "&" and not has_more) or (word == "<" and has_more)


def _pattern(words: Sequence[tuple[str, int]]) -> Syntax | None:
    """A word that a shell would replace by the files that it fits; not behind or in an option."""
    for number, (word, start) in enumerate(words):
        before = words[number - 1][0] if number else ""
        if (before.startswith("-") and "=" not in before) or word.startswith("-") or re.search(r"[:=(]", word):
            continue
        if found := _GLOB.search(word) or _BRACES.search(word):
            return Syntax(Kind.PATTERN, word.replace(_MASK, "…"), start, bool(found))
    return None
