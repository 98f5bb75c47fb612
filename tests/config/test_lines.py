"""Commands that are a text of several lines: read as a shell reads them, or a mistake at its line and column."""

import subprocess

import pytest

from supervisor.config.lines import words
from supervisor.config.values import Bad

from .conftest import Mistakes

READ = {
    "python3 -m http.server \\\n  --bind 127.0.0.1 \\\n  8000\n": "python3|-m|http.server|--bind|127.0.0.1|8000",
    "one \\\r\n  two\r\n": "one|two",
    "half\\\nword 'in \\\n single' \"in \\\n  double\"\n": "halfword|in \\\n single|in   double",
    "'a\nb' \"c\nd\"\n": "a\nb|c\nd",
    "one \\\n": "one",
    "one \\\\\\\n two\n": "one|\\|two",
    "one\\\\ two\n\n\n": "one\\|two",
    "one \\\n\\\n  two\n": "one|two",
}


@pytest.mark.parametrize("text", READ)
def test_line_ends_are_read_as_a_shell_reads_them(text: str) -> None:
    assert words(text) == tuple(READ[text].split("|"))


@pytest.mark.live
@pytest.mark.parametrize("text", [text for text in READ if "\r" not in text])
def test_a_shell_agrees(text: str) -> None:
    script = f"printf '%s|' {text}"
    told = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=20, check=True)
    assert told.stdout.removesuffix("|") == READ[text]


def test_more_arguments_may_stand_in_lines_of_their_own() -> None:
    assert words("serve\n  app\n--port 8000\n") == ("serve", "app", "--port", "8000")


@pytest.mark.parametrize(
    ("text", "offset", "reason"),
    [
        ("one \\ \n two\n", 4, "has a `\\` that blanks follow, so the line ends there"),
        ('one \\\n  "two\n', 8, "cannot be split into words: no closing quotation"),
        ("one 'two\n", 4, "cannot be split into words: no closing quotation"),
    ],
)
def test_what_cannot_be_read_says_where(text: str, offset: int, reason: str) -> None:
    with pytest.raises(Bad) as caught:
        words(text)
    assert (caught.value.offset, caught.value.reason) == (offset, reason)


@pytest.mark.parametrize(
    ("lines", "place", "reason"),
    [
        ("python3 a.py\npython3 b.py", "5:7", "has a second command, which `python3` begins"),
        ("python3 a.py \\\n  --x\n\nserve", "7:7", "has a second command, which `serve` begins"),
        ("# starts it\npython3 a.py", "4:7", "has a comment in it"),
        ("python3 a.py \\\n  && serve", "5:9", "`&&` needs a shell"),
        ('python3 a.py \\\n  --x "y', "5:13", "no closing quotation"),
        ("python3 a.py \\  \n  --x", "4:20", "that blanks follow"),
    ],
)
def test_a_mistake_in_a_block_is_at_its_line_and_column(
    mistakes: Mistakes, lines: str, place: str, reason: str
) -> None:
    block = "".join(f"      {line}\n" if line else "\n" for line in lines.split("\n"))
    (mistake,) = mistakes(f"services:\n  a:\n    command: |\n{block}")
    assert mistake.startswith(f"{place} services.a.command")
    assert reason in mistake
