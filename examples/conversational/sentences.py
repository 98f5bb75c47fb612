"""Text that is still being written, cut into what can be spoken already."""

import re

# Below that a sentence waits for the next one: a voice that says `Yes.` and stops sounds broken.
LEAST = 12  # characters
MOST = 220  # of a piece; a sentence that is longer is cut at a comma or a space
_END = re.compile("[.!?\u2026:;][\"'\u201d\u2019)\\]*_]*(?=\\s)|[\u3002\uff01\uff1f]|\n")  # quotation marks; CJK stops
_NO_END = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|St|Prof|Sr|Jr|vs|etc|e\.g|i\.e)|\b[A-Z]|(?:^|\s)\d+)\.$")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_ADDRESS = re.compile(r"\bhttps?://\S+")
_MARKUP = re.compile(r"[*_`#>|~]+|^\s*[-+]\s+", re.MULTILINE)


class Sentences:
    """Takes the pieces of an answer as they come."""

    def __init__(self) -> None:
        self._text = ""

    def add(self, piece: str) -> list[str]:
        """What is complete now, in order."""
        self._text += piece
        complete = []
        while cut := self._cut():
            complete.append(self._text[:cut].strip())
            self._text = self._text[cut:].lstrip()
        return [text for text in complete if text]

    def rest(self) -> list[str]:
        """What is left when the answer is over."""
        rest, self._text = self.add("\n"), ""
        return rest

    def _cut(self) -> int:
        """Where the first piece ends; 0 when there is none yet."""
        for end in _END.finditer(self._text):
            if end.end() > MOST:
                break
            is_last = not self._text[end.end() :].strip() and end[0] == "\n"
            if is_last or (end.end() >= LEAST and not _NO_END.search(self._text[: end.end()])):
                return end.end()
        if len(self._text) <= MOST:
            return 0
        return max(self._text.rfind(", ", 0, MOST) + 1, 0) or self._text.rfind(" ", 0, MOST) + 1 or MOST


def speakable(text: str) -> str:
    """The same without what only the eye reads; empty when nothing is left to say."""
    text = _ADDRESS.sub("a link", _LINK.sub(r"\1", text))
    text = " ".join(_MARKUP.sub("", text).encode("utf-8", "ignore").decode().split())
    return text if any(letter.isalnum() for letter in text) else ""
