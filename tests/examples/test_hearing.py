"""Turns in a stream of sound; the detector here takes a chunk for speech when its first byte says so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.conversational.audio import HEARD, WIDTH
from examples.conversational.hearing import (
    BEFORE,
    BEGIN,
    CHUNK_BYTES,
    LEAST,
    SILENCE,
    Began,
    Ear,
    Heard,
    Turns,
    Utterance,
)

SPEECH = b"\x01" * CHUNK_BYTES
QUIET = bytes(CHUNK_BYTES)
LONG = 60.0


def probability(chunk: bytes) -> float:
    return float(chunk[0])


def ear(turns: Turns = Turns.VAD, most_seconds: float = LONG) -> Ear:
    return Ear(probability, turns, most_seconds)


def heard(ear: Ear, *sound: bytes) -> list[Heard]:
    return [event for part in sound for event in ear.hear(part)]


def test_silence_ends_a_turn_which_keeps_the_sound_right_before_it() -> None:
    began, turn = heard(ear(), QUIET * 100, SPEECH * 20, QUIET * SILENCE)
    assert began == Began()
    assert isinstance(turn, Utterance)
    assert turn.pcm.count(b"\x01") == 20 * CHUNK_BYTES
    assert turn.pcm.index(b"\x01") == BEFORE * CHUNK_BYTES
    assert turn.spoken_bytes == (BEFORE + 20) * CHUNK_BYTES
    assert turn.has_speech
    assert not turn.cut


def test_a_pause_that_is_shorter_does_not_end_it() -> None:
    (began,) = heard(ear(), SPEECH * 20, QUIET * (SILENCE - 1), SPEECH, QUIET * (SILENCE - 1))
    assert began == Began()


def test_a_click_is_not_the_beginning_of_a_turn() -> None:
    assert heard(ear(), (SPEECH * (BEGIN - 1) + QUIET) * 10) == []


def test_a_cough_is_a_turn_without_speech() -> None:
    _, turn = heard(ear(), SPEECH * (LEAST - 1), QUIET * SILENCE)
    assert isinstance(turn, Utterance)
    assert not turn.has_speech


def test_a_turn_follows_the_other() -> None:
    events = heard(ear(), (SPEECH * 20 + QUIET * SILENCE) * 3)
    assert [type(event) for event in events] == [Began, Utterance] * 3
    assert all(event.pcm.count(b"\x01") == 20 * CHUNK_BYTES for event in events if isinstance(event, Utterance))


def test_by_hand_only_the_client_ends_a_turn() -> None:
    listening = ear(Turns.MANUAL)
    assert heard(listening, QUIET * 5, SPEECH * 20, QUIET * 100) == [Began()]
    turn = listening.end()
    assert turn is not None
    assert turn.pcm == QUIET * 5 + SPEECH * 20 + QUIET * 100
    assert turn.has_speech
    assert listening.end() is None


def test_by_hand_a_turn_without_words_says_so() -> None:
    listening = ear(Turns.MANUAL)
    heard(listening, QUIET * 50)
    turn = listening.end()
    assert turn is not None
    assert not turn.has_speech


def test_the_end_of_a_turn_may_come_before_its_silence() -> None:
    listening = ear()
    heard(listening, SPEECH * 20, b"\x01\x01")  # and a sample that is no chunk yet
    turn = listening.end()
    assert turn is not None
    assert turn.pcm == SPEECH * 20 + b"\x01\x01"


def test_without_a_detector_all_sound_is_speech_and_turns_end_by_hand() -> None:
    listening = Ear(None, Turns.VAD, LONG)
    assert listening.turns is Turns.MANUAL
    assert heard(listening, QUIET * 100) == [Began()]
    turn = listening.end()
    assert turn is not None
    assert turn.has_speech


@pytest.mark.parametrize("turns", Turns)
def test_a_turn_that_is_too_long_is_cut_and_its_rest_not_heard(turns: Turns) -> None:
    listening = ear(turns, most_seconds=1)
    began, turn = heard(listening, SPEECH * 100)
    assert began == Began()
    assert isinstance(turn, Utterance)
    assert turn.cut
    assert len(turn.pcm) == HEARD * WIDTH
    assert listening.is_deaf
    if turns is Turns.MANUAL:
        assert listening.end() is None
    else:
        assert heard(listening, QUIET * SILENCE) == []
    assert heard(listening, SPEECH * 5) == [Began()]


def test_a_pause_is_when_a_look_at_it_is_worth_it() -> None:
    listening = ear()
    heard(listening, SPEECH * 20)
    assert (listening.in_turn, listening.in_pause, listening.has_speech) == (True, False, True)
    heard(listening, QUIET * 10)
    assert listening.in_pause
    assert listening.spoken_bytes == len(SPEECH * 20)
    assert listening.so_far == SPEECH * 20 + QUIET * 10


@given(st.lists(st.integers(100, 5000), min_size=1, max_size=30))
def test_it_does_not_matter_how_the_sound_is_cut_into_frames(sizes: list[int]) -> None:
    sound = QUIET * 20 + SPEECH * 12 + QUIET * 30 + SPEECH * 3 + QUIET * 30 + SPEECH * 40 + QUIET * 25
    whole = heard(ear(), sound)
    frames: list[bytes] = []
    at = 0
    while at < len(sound):
        size = sizes[len(frames) % len(sizes)] * WIDTH
        frames.append(sound[at : at + size])
        at += size
    assert heard(ear(), *frames) == whole
