"""A program in a terminal of tmux: what stands on its screen, and keys for it."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.live.stack import Live
from tests.support.eventually import eventually
from tests.support.needed import need_program


class Terminal:
    """80 columns and 24 lines in which `portsup top` runs."""

    def __init__(self, socket: Path, folder: Path, environment: dict[str, str], *words: str) -> None:
        self._tmux = ["tmux", "-S", str(socket), "-f", "/dev/null"]
        self._env = environment
        command = ["new-session", "-d", "-x", "80", "-y", "24", "-c", str(folder), *words]
        kept = ["set-option", "-g", "remain-on-exit", "on", ";"]  # so that what it says at its end can be read
        subprocess.run([*self._tmux, "start-server", ";", *kept, *command], env=environment, check=True, timeout=20)

    def shows(self, text: str, within: float = 60.0) -> str:
        """The screen, once it has that text on it."""

        def has_it() -> str:
            screen = self.screen()
            assert text in screen, screen
            return screen

        return eventually(has_it, within=within, what=f"{text!r} on the screen")

    def shows_not(self, text: str, within: float = 60.0) -> None:
        """Waits until the screen is without that text."""

        def is_gone() -> bool:
            screen = self.screen()
            assert text not in screen, screen
            return True

        eventually(is_gone, within=within, what=f"the end of {text!r} on the screen")

    def screen(self) -> str:
        """What stands there now."""
        return self._tell("capture-pane", "-p")

    def printed(self) -> str:
        """The same, with what has scrolled away and lines in one piece: tmux makes room for the end of a program."""
        return self._tell("capture-pane", "-p", "-J", "-S", "-")

    def _tell(self, *words: str) -> str:
        ran = subprocess.run(
            [*self._tmux, *words], env=self._env, capture_output=True, text=True, timeout=20, check=True
        )
        return ran.stdout

    def press(self, *keys: str) -> None:
        """Types these keys."""
        subprocess.run([*self._tmux, "send-keys", *keys], env=self._env, check=True, timeout=20)

    def is_there(self) -> bool:
        """Whether the program in it still runs."""
        return self._tell("display-message", "-p", "#{pane_dead}").strip() == "0"

    def end(self) -> None:
        """Ends it."""
        subprocess.run([*self._tmux, "kill-server"], env=self._env, capture_output=True, timeout=20)


@contextmanager
def top_of(live: Live, folder: Path, *words: str, term: str = "", **variables: str) -> Iterator[Terminal]:
    """`portsup top` of a stack, in 80 columns and 24 lines; tmux keeps its socket in `folder`.

    term: what it is told of the terminal, else what tmux says
    """
    need_program("tmux")
    environment = {**live.env, "TERM": "xterm-256color", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", **variables}
    told = ["env", f"TERM={term}"] if term else []
    screen = Terminal(folder / "tmux", live.folder, environment, *told, *live.command("top", *words))
    try:
        yield screen
    finally:
        screen.end()
