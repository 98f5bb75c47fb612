// Runs in the audio thread: takes what the microphone gives, at whatever rate, and posts 16-bit samples at 16 kHz,
// 20 ms at a time, with how loud they are.

const WANTED = 16000;
const BLOCK = 320;
const TAPS = 16; // on each side, counted in samples of the lower of the two rates
const PHASES = 64;

class Microphone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.step = sampleRate / WANTED; // input samples for one that goes out
    this.width = Math.ceil(TAPS * Math.max(1, this.step));
    this.kernels = kernels(this.width, Math.min(1, WANTED / sampleRate));
    this.past = new Float32Array(0); // input that is still needed
    this.at = this.width; // where in it the next output sample lies
    this.block = new Int16Array(BLOCK);
    this.filled = 0;
    this.loudest = 0;
  }

  process([input]) {
    if (!input.length) return true;
    const sound = new Float32Array(this.past.length + input[0].length);
    sound.set(this.past);
    for (const channel of input) {
      for (let i = 0; i < channel.length; i++) sound[this.past.length + i] += channel[i] / input.length;
    }
    let at = this.at;
    for (; at + this.width + 1 < sound.length; at += this.step) {
      const first = Math.floor(at);
      const kernel = this.kernels[Math.round((at - first) * PHASES)];
      let sum = 0;
      for (let i = 0; i < kernel.length; i++) sum += sound[first - this.width + i] * kernel[i];
      this.put(Math.max(-1, Math.min(1, sum)));
    }
    const done = Math.floor(at) - this.width;
    this.past = sound.slice(done);
    this.at = at - done;
    return true;
  }

  put(sample) {
    this.loudest = Math.max(this.loudest, Math.abs(sample));
    this.block[this.filled++] = Math.round(sample * 32767);
    if (this.filled === BLOCK) {
      this.port.postMessage({pcm: this.block.buffer, level: this.loudest}, [this.block.buffer]);
      this.block = new Int16Array(BLOCK);
      this.filled = 0;
      this.loudest = 0;
    }
  }
}

// A windowed sinc for each fraction of a sample: what lies above half the lower rate would come back as false tones.
function kernels(width, cutoff) {
  return Array.from({length: PHASES + 1}, (_, phase) => {
    const kernel = new Float32Array(2 * width + 1);
    let sum = 0;
    for (let i = 0; i < kernel.length; i++) {
      const x = i - width - phase / PHASES;
      const sinc = x === 0 ? 1 : Math.sin(Math.PI * x * cutoff) / (Math.PI * x * cutoff);
      kernel[i] = sinc * (0.5 + 0.5 * Math.cos(Math.PI * Math.max(-1, Math.min(1, x / (width + 1)))));
      sum += kernel[i];
    }
    return kernel.map(value => value / sum);
  });
}

registerProcessor("microphone", Microphone);
