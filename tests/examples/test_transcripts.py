"""Transcripts in the formats of OpenAI's API."""

import base64
import json

from examples.conversational.engines import Words
from examples.conversational.rest import TRANSCRIPTS, sound_events, transcript

SAID = Words("good day", "en")


def test_subtitles_have_one_cue_as_long_as_the_recording() -> None:
    assert bytes(transcript(SAID, 3723.5, "srt").body) == b"1\n00:00:00,000 --> 01:02:03,500\ngood day\n\n"
    assert bytes(transcript(SAID, 1.9999, "vtt").body) == b"WEBVTT\n\n00:00:00.000 --> 00:00:02.000\ngood day\n\n"


def test_a_stream_has_the_words_and_its_end() -> None:
    answer = transcript(SAID, 1.0, "stream")
    assert answer.media_type == "text/event-stream"
    lines = [line.removeprefix("data: ") for line in bytes(answer.body).decode().split("\n\n") if line]
    assert [json.loads(line)["type"] for line in lines[:2]] == ["transcript.text.delta", "transcript.text.done"]
    assert json.loads(lines[1])["text"] == "good day"
    assert lines[2:] == ["[DONE]"]


def test_the_long_form_has_a_segment_where_something_was_said() -> None:
    (segment,) = json.loads(bytes(transcript(SAID, 2.5, "verbose_json").body))["segments"]
    assert (segment["start"], segment["end"], segment["text"]) == (0.0, 2.5, "good day")
    assert json.loads(bytes(transcript(Words(""), 2.5, "verbose_json").body))["segments"] == []
    assert {"json", "text"} < set(TRANSCRIPTS)


def test_a_sound_can_come_as_events() -> None:
    delta, done = [json.loads(line.removeprefix("data: ")) for line in sound_events(b"\x00\xff").split("\n\n")[:-1]]
    assert (delta["type"], base64.b64decode(delta["audio"])) == ("speech.audio.delta", b"\x00\xff")
    assert (done["type"], done["usage"]["total_tokens"]) == ("speech.audio.done", 0)
