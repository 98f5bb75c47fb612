"""Texts for cells and lines, without what a terminal would obey: programs choose much of what is shown."""

from rich.text import Text

from supervisor.core.escapes import tamed


def text_of(words: str, style: str = "", *, is_right: bool = False) -> Text:
    """One line, which ends with `…` where there is no room for it."""
    text = Text(tamed(words), style=style, overflow="ellipsis", no_wrap=True)
    text.justify = "right" if is_right else "left"
    return text
