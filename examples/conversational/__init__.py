"""Conversational: a conversation by voice or in writing, over a WebSocket at `/ws`.

Messages are JSON objects with a `type`; sound travels in binary frames between them, in the formats that
`session.created` names: 16-bit little-endian samples of one channel, 16 kHz to the server, 24 kHz from it.

To the server:
- `input.text {text}`: a question in writing.
- a binary frame: sound from the microphone. With `turns: vad` (hands-free) a turn ends after 0.7 s of silence,
- `input.audio.end`: or here; with `turns: manual` (push to talk) only here.
- `response.cancel`: stop thinking, writing and speaking.
- `session.update {turns, speak, voice, language}`: any of `vad` or `manual`; whether answers are spoken; who speaks
  them; what is spoken (`en`, `es`, … or `auto`).

To the client:
- `session.created`, and the same as `session.updated` after a change.
- `state {state}`: `listening`; `thinking`; `speaking`, until the listener has heard all of it.
- `input.speech.started {item}`: somebody speaks; with `turns: vad` only.
- `transcript {item, text, language, final}`: what was understood. Those of one `item` replace each other; several that
  are not final come while somebody is still speaking.
- `response.text.delta {response, delta}`; `response.audio {response, text, ms}` and right after it the binary frame
  with that sentence; `response.done {response, text, ms, first_audio_ms, by}` when everything has been sent; `by` has
  the `backend` and `model` that answered, as far as it is known.
- `response.cancelled {response, text}`: stop playing. `text` is what was heard of the answer, and all that the model
  will remember of it. It comes after `response.done` when only the rest of the sound was cut off.
- `error {code, message}`: `bad_message`, `unknown_type`, `bad_audio`, `too_long`, `no_speech`, `speech_unavailable`,
  `speech_failed`, `unknown_voice`, `unknown_language`, `language_unavailable`, `busy`, `llm_unavailable` or
  `internal_error`. The socket stays open.

New input cuts a reply short (barge-in). The server closes with 1012 when it is being stopped, and with 1009 after a
message of more than 1 MiB; a client that leaves unread what it was sent for 15 s is cut off. A program shows the
token in `Authorization`; a page, which cannot, offers the subprotocols `conversation` and `token.` with the token in
base64url behind it.

How it is built: `session` has the socket; `listening` with `hearing` makes turns of sound; `reply` with `mouth`
answers; `speech` runs the engines of `engines` in threads; `llm` asks the model. `page/` is a client for browsers.
"""
