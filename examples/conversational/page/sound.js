// The microphone and the loudspeaker of this page.

const HEARD_FOR = 30000; // ms that the microphone stays open after it was used: opening it takes a moment
const AHEAD = 0.05; // s: sound that is played at once would crackle

// `onsound(pcm)` gets 16-bit samples at 16 kHz while `open` is true, `onlevel(0…1)` how loud it is.
export class Microphone {
  constructor(context, onsound, onlevel) {
    this.context = context;
    this.onsound = onsound;
    this.onlevel = onlevel;
    this.open = false;
    this.stream = undefined;
  }

  // Throws an Error whose message is for people.
  async start() {
    clearTimeout(this.closing);
    this.starting ??= this.connect();
    try {
      await this.starting;
    } catch (error) {
      this.starting = undefined;
      throw error;
    }
    this.open = true;
  }

  stop() {
    this.open = false;
    this.onlevel(0);
    clearTimeout(this.closing);
    this.closing = setTimeout(() => this.close(), HEARD_FOR);
  }

  close() {
    this.open = false;
    this.starting = undefined;
    this.node?.disconnect();
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = undefined;
  }

  async connect() {
    if (!navigator.mediaDevices || !this.context.audioWorklet) {
      throw new Error("Browsers give the microphone only to pages at http://localhost or http://127.0.0.1.");
    }
    try {
      const audio = {channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true};
      this.stream = await navigator.mediaDevices.getUserMedia({audio});
    } catch (error) {
      throw new Error(WHY[error.name] ?? `The microphone cannot be used: ${error.message}`);
    }
    this.module ??= this.context.audioWorklet.addModule("microphone.js");
    await this.module;
    await this.context.resume();
    this.node = new AudioWorkletNode(this.context, "microphone", {numberOfOutputs: 0});
    this.node.port.onmessage = ({data}) => {
      if (!this.open) return;
      this.onlevel(Math.min(1, data.level * 2));
      this.onsound(data.pcm);
    };
    this.context.createMediaStreamSource(this.stream).connect(this.node);
    this.stream.getAudioTracks()[0].onended = () => this.close();
  }
}

const WHY = {
  NotAllowedError: "The browser does not let this page use the microphone. Allow it beside the address, and try again.",
  NotFoundError: "No microphone was found.",
  NotReadableError: "The microphone is used by another program.",
};

// Plays 16-bit samples one after the other, without a gap.
export class Loudspeaker {
  constructor(context, rate) {
    this.context = context;
    this.rate = rate;
    this.until = 0;
    this.playing = new Set();
  }

  play(pcm) {
    const samples = new Int16Array(pcm);
    if (!samples.length) return;
    const buffer = this.context.createBuffer(1, samples.length, this.rate);
    buffer.copyToChannel(Float32Array.from(samples, sample => sample / 32768), 0);
    const source = this.context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.context.destination);
    source.onended = () => this.playing.delete(source);
    this.playing.add(source);
    const begins = Math.max(this.context.currentTime + AHEAD, this.until);
    source.start(begins);
    this.until = begins + buffer.duration;
  }

  stop() {
    for (const source of this.playing) source.stop();
    this.playing.clear();
    this.until = 0;
  }
}
