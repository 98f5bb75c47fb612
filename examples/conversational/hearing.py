"""Where in a stream of sound somebody speaks: no sockets and no clock here, time is counted in samples.

Two ways to take turns. `vad` (hands-free): a voice activity detector tells speech from everything else, and 0.7 s of
silence ends a turn. `manual` (push to talk): whatever arrives belongs to the turn until the client says that it is
over; the detector then only tells whether anything was said at all.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from examples.conversational.audio import HEARD, WIDTH

CHUNK = 512  # samples: what the detector looks at, 32 ms
CHUNK_BYTES = CHUNK * WIDTH
# The detector's own advice: speech begins above the one and has ended below the other.
LOUD, QUIET = 0.5, 0.35
BEGIN = 4  # chunks in a row that begin a turn; fewer are a click or a cough
SILENCE = 22  # chunks in a row that end one: 0.7 s
LEAST = 6  # chunks of speech below which a turn is noise
BEFORE = 10  # chunks of sound before it began that belong to it: a word's first consonant is quiet
PAUSE = 8  # chunks of silence after which a look at what was said so far is worth it


class Turns(StrEnum):
    """Who says where a turn ends."""

    VAD = "vad"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Began:
    """Somebody has begun to speak."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One turn: its sound from the first word to the last, and whether there is any speech in it."""

    pcm: bytes
    has_speech: bool
    spoken_bytes: int  # where the last word ends
    cut: bool = False  # it went on for longer than is allowed; the rest is not heard


Heard = Began | Utterance


class Ear:
    """`probability` says how likely it is that a chunk is speech; None is for `manual` without a detector."""

    def __init__(self, probability: Callable[[bytes], float] | None, turns: Turns, most_seconds: float) -> None:
        self._probability = probability
        self.turns = turns if probability is not None else Turns.MANUAL
        self._most = int(most_seconds * HEARD) * WIDTH  # bytes
        self._rest = b""  # less than a chunk
        self._deaf = False  # until the turn that was too long is over
        self._sound = bytearray()  # of the turn, or what may be its beginning
        self._in_turn = False
        self._quiet = self._loud = 0  # chunks in a row
        self._spoken = 0  # chunks in this turn
        self._spoken_until = 0  # where in the sound the last of them ends

    @property
    def in_turn(self) -> bool:
        """Whether somebody is speaking, or in `manual` whether anything has arrived."""
        return self._in_turn

    @property
    def has_speech(self) -> bool:
        """Whether there is enough speech in the turn to be words."""
        return self._spoken >= (1 if self._probability is None else LEAST)

    @property
    def is_deaf(self) -> bool:
        """Whether a turn was too long and goes on, unheard."""
        return self._deaf

    @property
    def so_far(self) -> bytes:
        """The sound of the turn until now."""
        return bytes(self._sound)

    @property
    def spoken_bytes(self) -> int:
        """Where in `so_far` the last speech ends."""
        return self._spoken_until

    @property
    def in_pause(self) -> bool:
        """Whether the speaker has stopped, perhaps for good."""
        return self._in_turn and self._quiet >= PAUSE

    def hear(self, pcm: bytes) -> Iterator[Heard]:
        """What happens in the sound that follows; its length is a whole number of samples."""
        sound = self._rest + pcm
        whole = len(sound) // CHUNK_BYTES * CHUNK_BYTES
        self._rest = sound[whole:]
        for start in range(0, whole, CHUNK_BYTES):
            yield from self._chunk(sound[start : start + CHUNK_BYTES])

    def end(self) -> Utterance | None:
        """The client says that the turn is over; None when nothing has been heard."""
        if self._rest and not self._deaf and (self._in_turn or self.turns is Turns.MANUAL):
            self._sound += self._rest
            self._in_turn = True
        utterance = self._utterance() if self._in_turn else None
        self._rest = b""
        self._deaf = False
        self._forget()
        return utterance

    def _chunk(self, chunk: bytes) -> Iterator[Heard]:
        speech = self._probability(chunk) if self._probability is not None else 1.0
        is_quiet = speech < (QUIET if self._in_turn else LOUD)
        self._quiet = self._quiet + 1 if is_quiet else 0
        self._loud = 0 if is_quiet else self._loud + 1
        if self._deaf:
            if self.turns is Turns.VAD and self._quiet >= SILENCE:
                self._deaf = False
                self._forget()
            return
        self._sound += chunk
        self._spoken += not is_quiet
        if not self._in_turn:
            if self.turns is Turns.VAD and self._loud < BEGIN:
                # Only what lies right before the first word will belong to it.
                del self._sound[: -(BEFORE + BEGIN - 1) * CHUNK_BYTES]
                self._spoken = self._loud
                return
            self._in_turn = True
            yield Began()
        if not is_quiet:
            self._spoken_until = len(self._sound)
        if len(self._sound) >= self._most:
            self._deaf = True
            utterance = self._utterance(cut=True)
            self._forget()
            yield utterance
        elif self.turns is Turns.VAD and self._quiet >= SILENCE:
            utterance = self._utterance()
            self._forget()
            yield utterance

    def _utterance(self, *, cut: bool = False) -> Utterance:
        return Utterance(bytes(self._sound[: self._most]), self.has_speech, self._spoken_until, cut)

    def _forget(self) -> None:
        self._sound = bytearray()
        self._in_turn = False
        self._quiet = self._loud = self._spoken = self._spoken_until = 0
