// Runs in the page before its own scripts: what goes to the loudspeaker goes through a tap as well, which writes it down with the frame at which it is heard.
(() => {
  const source = `registerProcessor("tap", class extends AudioWorkletProcessor {
    constructor() { super(); this.data = new Float32Array(2048); this.size = 0; this.start = 0; }
    process(inputs) {
      const [left, right] = inputs[0] ?? [];
      if (this.size === 0) this.start = currentFrame;
      for (let i = 0; i < 128; i++) this.data[this.size++] = left ? (left[i] + (right ?? left)[i]) / 2 : 0;
      if (this.size === this.data.length) { this.port.postMessage([this.start, this.data.slice()]); this.size = 0; }
      return true;
    }
  });`;
  const heard = (window.heard = { blocks: [], rate: 0, context: null });
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (to, ...rest) {
    if (to instanceof AudioDestinationNode) {
      heard.context = to.context;
      heard.rate = to.context.sampleRate;
      const module = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
      to.context.audioWorklet.addModule(module).then(() => {
        const tap = new AudioWorkletNode(to.context, "tap");
        tap.port.onmessage = (event) => heard.blocks.push(event.data);
        connect.call(this, tap);
        connect.call(tap, to); // silent: it has no output of its own, but it must be asked for
      });
    }
    return connect.call(this, to, ...rest);
  };
  /** What was heard from `since` seconds of the context on: [first frame, 16-bit samples as base64], silence where nothing was written. */
  window.takeHeard = (since) => {
    const blocks = heard.blocks.filter(([start]) => start >= since * heard.rate);
    if (blocks.length === 0) return [0, ""];
    const first = blocks[0][0];
    const last = blocks[blocks.length - 1];
    const samples = new Int16Array(last[0] + last[1].length - first);
    for (const [start, data] of blocks) for (let i = 0; i < data.length; i++) samples[start - first + i] = Math.max(-1, Math.min(1, data[i])) * 32767;
    const bytes = new Uint8Array(samples.buffer);
    let text = "";
    for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
    return [first, btoa(text)];
  };
})();
