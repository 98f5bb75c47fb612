"""Sound as it travels here: signed 16-bit little-endian samples of one channel, `pcm_s16le`.

Python's own `wave` reads and writes the files; numpy is imported where it is used, because it is part of the extra
`speech` and takes a tenth of a second.
"""

import io
import wave
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing

    Samples = numpy.typing.NDArray[numpy.float32]

HEARD = 16000  # samples a second that come in; what every recognizer here was trained on
SPOKEN = 24000  # samples a second that go out
WIDTH = 2  # bytes of a sample


class BadAudio(Exception):
    """Bytes that are not the sound they should be; its text says why."""


class TooLong(Exception):
    """Sound that lasts longer than is allowed; its text says how long it may last."""


def seconds(pcm: bytes, rate: int) -> float:
    """How long it lasts."""
    return len(pcm) / WIDTH / rate


def floats(pcm: bytes) -> "Samples":
    """The samples as numbers from -1 to 1."""
    import numpy

    return numpy.frombuffer(pcm, "<i2").astype(numpy.float32) / numpy.float32(32768)


def pcm_of(samples: "Samples") -> bytes:
    """The reverse of `floats`; what is louder than the loudest is cut off."""
    import numpy

    return (numpy.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def resampled(samples: "Samples", rate: int, wanted: int) -> "Samples":
    """The same sound at another rate.

    By way of its spectrum: exact, and without the false tones that leaving out samples would add. It takes the whole
    sound at once, which suits sentences and not streams.
    """
    import numpy

    if rate == wanted or not len(samples):
        return samples
    length = max(1, round(len(samples) * wanted / rate))
    spectrum = numpy.fft.rfft(samples)
    return (numpy.fft.irfft(spectrum[: length // 2 + 1], length) * (length / len(samples))).astype(numpy.float32)


def read_wav(content: bytes, wanted: int, most_seconds: float) -> bytes:
    """The PCM of a WAV file at the `wanted` rate, its channels mixed; raises BadAudio and TooLong."""
    import numpy

    try:
        with wave.open(io.BytesIO(content)) as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            if not 4000 <= rate <= 192000 or channels > 8:
                raise BadAudio(f"{channels} channels at {rate} Hz cannot be read: 4000 to 192000 Hz can")
            most = round(most_seconds * rate)
            # Not what the header says: a program that writes to a pipe does not know how long it will be.
            frames = file.readframes(most + 1)
    except (wave.Error, EOFError, RuntimeError, ValueError, OverflowError) as error:
        raise BadAudio(f"not a WAV file with plain PCM: {str(error) or type(error).__name__}") from None
    frames = frames[: len(frames) // (channels * width) * channels * width]
    if len(frames) > most * channels * width:
        raise TooLong(f"a recording can last {most_seconds:g} seconds")
    if width == 1:
        samples = (numpy.frombuffer(frames, numpy.uint8).astype(numpy.float32) - 128) / 128
    elif width == 3:
        wide = numpy.zeros((len(frames) // 3, 4), numpy.uint8)
        wide[:, 1:] = numpy.frombuffer(frames, numpy.uint8).reshape(-1, 3)
        samples = wide.reshape(-1).view("<i4").astype(numpy.float32) / 2**31
    else:
        samples = numpy.frombuffer(frames, f"<i{width}").astype(numpy.float32) / 2 ** (8 * width - 1)
    return pcm_of(resampled(samples.reshape(-1, channels).mean(axis=1), rate, wanted))


def decoded(content: bytes, wanted: int, most_seconds: float) -> bytes:
    """The PCM of a recording in any format that PyAV knows, at the `wanted` rate; raises BadAudio and TooLong.

    Without PyAV, which comes with the extra `speech`, WAV files with plain PCM can be read.
    """
    try:
        import av
    except ImportError:
        return read_wav(content, wanted, most_seconds)
    most = round(most_seconds * wanted) * WIDTH
    pcm = bytearray()
    try:
        with av.open(io.BytesIO(content), "r", metadata_errors="ignore") as file:
            if not file.streams.audio:
                raise BadAudio("there is no sound in it")
            stream = file.streams.audio[0]
            if not 4000 <= stream.rate <= 192000:
                raise BadAudio(f"sound at {stream.rate} Hz cannot be read: 4000 to 192000 Hz can")
            resampler = av.AudioResampler(format="s16", layout="mono", rate=wanted)
            for frame in file.decode(stream):
                for part in resampler.resample(frame):
                    pcm += bytes(part.planes[0])[: part.samples * WIDTH]
                if len(pcm) > most:
                    break
            else:
                for part in resampler.resample(None):
                    pcm += bytes(part.planes[0])[: part.samples * WIDTH]
    except (av.FFmpegError, ValueError, IndexError, EOFError) as error:
        raise BadAudio(f"not a recording that can be read: {getattr(error, 'strerror', '') or error}") from None
    if len(pcm) > most:
        raise TooLong(f"a recording can last {most_seconds:g} seconds")
    return bytes(pcm)


# What `/v1/audio/speech` answers in: the container, the codec, and the type of the answer.
FORMATS = {
    "mp3": ("mp3", "libmp3lame", "audio/mpeg"),
    "opus": ("ogg", "libopus", "audio/ogg"),
    "aac": ("adts", "aac", "audio/aac"),
    "flac": ("flac", "flac", "audio/flac"),
    "wav": ("", "", "audio/wav"),
    "pcm": ("", "", "audio/pcm"),
}


def encoded(pcm: bytes, rate: int, kind: str) -> bytes:
    """The sound as a file of one of `FORMATS`; raises ImportError without PyAV where that is needed."""
    if kind == "pcm":
        return pcm
    if kind == "wav":
        return write_wav(pcm, rate)
    import av
    import numpy

    container, codec, _ = FORMATS[kind]
    content = io.BytesIO()
    with av.open(content, "w", format=container) as file:
        stream: Any = file.add_stream(codec, rate=rate)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(numpy.frombuffer(pcm, "<i2").reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = rate
        for part in (frame, None):
            file.mux(stream.encode(part))
    return content.getvalue()


def write_wav(pcm: bytes, rate: int) -> bytes:
    """A WAV file with that sound."""
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(WIDTH)
        file.setframerate(rate)
        file.writeframes(pcm)
    return content.getvalue()
