"""Sound files and rates."""

import io
import math
import wave

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.conversational import audio

numpy = pytest.importorskip("numpy")


def wav(frames: bytes, *, rate: int = 16000, width: int = 2, channels: int = 1) -> bytes:
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(frames)
    return content.getvalue()


def tone(rate: int, hertz: int = 440, seconds: float = 0.5) -> list[float]:
    return [0.5 * math.sin(2 * math.pi * hertz * at / rate) for at in range(int(rate * seconds))]


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_tone_stays_a_tone(width: int, rate: int, channels: int) -> None:
    whole = 2 ** (8 * width - 1) - 1
    shift = 128 if width == 1 else 0
    samples = (round(value * whole) + shift for value in tone(rate) for _ in range(channels))
    frames = b"".join(sample.to_bytes(width, "little", signed=width > 1) for sample in samples)
    read = audio.floats(audio.read_wav(wav(frames, rate=rate, width=width, channels=channels), 16000, 10))
    assert len(read) == 8000
    spectrum = numpy.abs(numpy.fft.rfft(read))
    assert spectrum.argmax() == 220  # of bins that are 2 Hz wide
    assert numpy.abs(read[1000:-1000]).max() == pytest.approx(0.5, abs=0.02)


def test_what_is_too_high_for_the_new_rate_is_gone_and_not_folded() -> None:
    high = numpy.array(tone(48000, 11000), dtype=numpy.float32)
    assert numpy.abs(audio.resampled(high, 48000, 16000)[200:-200]).max() < 0.01


def test_a_header_without_a_length_is_read_to_the_end() -> None:
    content = bytearray(wav(bytes(3200)))
    content[4:8] = content[40:44] = b"\xff\xff\xff\x7f"  # as programs that write to a pipe do
    assert len(audio.read_wav(bytes(content), 16000, 10)) == 3200


def test_too_long_is_not_bad() -> None:
    assert len(audio.read_wav(wav(bytes(32000)), 16000, 1)) == 32000
    with pytest.raises(audio.TooLong, match="1 seconds"):
        audio.read_wav(wav(bytes(32002)), 16000, 1)


@given(st.binary(max_size=80), st.integers(0, 60))
def test_garbage_is_bad_audio_or_sound(garbage: bytes, kept: int) -> None:
    content = wav(bytes(64))[:kept] + garbage
    try:
        pcm = audio.read_wav(content, 16000, 10)
    except (audio.BadAudio, audio.TooLong):
        return
    assert len(pcm) % 2 == 0


def test_samples_survive_the_way_there_and_back() -> None:
    pcm = b"\x00\x00\x01\x00\xff\x7f\x00\x80"
    assert audio.seconds(pcm, 4) == 1
    there = audio.floats(pcm)
    assert there.min() == -1
    assert numpy.abs(audio.floats(audio.pcm_of(there)) - there).max() < 2 / 32768
