// Drums made in the page: nothing is loaded. One voice a class of the kit.
const sound = { context: null, playing: [], place: 0, step: 0, next: 0, timer: 0, heard: 0 };

function openSound() {
  if (!sound.context) {
    sound.context = new AudioContext();
    sound.out = sound.context.createDynamicsCompressor();
    sound.meter = sound.context.createAnalyser();
    sound.out.connect(sound.meter).connect(sound.context.destination);
    const noise = sound.context.createBuffer(1, sound.context.sampleRate, sound.context.sampleRate), data = noise.getChannelData(0);
    let seed = 1;
    for (let i = 0; i < data.length; i++) { seed = (seed * 16807) % 2147483647; data[i] = seed / 1073741823.5 - 1; }
    sound.noise = noise;
  }
  sound.context.resume();
}

function tone(time, from, to, length, level, shape) {
  const c = sound.context, o = c.createOscillator(), g = c.createGain();
  o.type = shape || "sine";
  o.frequency.setValueAtTime(from, time);
  o.frequency.exponentialRampToValueAtTime(to, time + length * 0.5);
  g.gain.setValueAtTime(level, time);
  g.gain.exponentialRampToValueAtTime(0.001, time + length);
  o.connect(g).connect(sound.out);
  o.start(time);
  o.stop(time + length);
}

function hiss(time, kind, frequency, length, level) {
  const c = sound.context, s = c.createBufferSource(), f = c.createBiquadFilter(), g = c.createGain();
  s.buffer = sound.noise;
  s.loop = true;
  f.type = kind;
  f.frequency.value = frequency;
  g.gain.setValueAtTime(level, time);
  g.gain.exponentialRampToValueAtTime(0.001, time + length);
  s.connect(f).connect(g).connect(sound.out);
  s.start(time);
  s.stop(time + length);
}

const voices = {
  kick: t => { tone(t, 150, 45, 0.28, 1); hiss(t, "lowpass", 900, 0.02, 0.4); },
  snare: t => { tone(t, 210, 160, 0.12, 0.45, "triangle"); hiss(t, "highpass", 1400, 0.17, 0.5); },
  closed_hat: t => hiss(t, "highpass", 8000, 0.05, 0.28),
  open_hat: t => hiss(t, "highpass", 7000, 0.32, 0.28),
  low_tom: t => tone(t, 110, 75, 0.35, 0.8),
  mid_tom: t => tone(t, 150, 105, 0.3, 0.75),
  high_tom: t => tone(t, 200, 145, 0.26, 0.7),
  crash: t => hiss(t, "highpass", 4500, 1.1, 0.38),
  ride: t => { hiss(t, "bandpass", 9500, 0.35, 0.3); tone(t, 5200, 5190, 0.2, 0.03, "square"); },
  high_bongo: t => tone(t, 430, 390, 0.12, 0.5),
  low_bongo: t => tone(t, 320, 290, 0.14, 0.5),
  mute_high_conga: t => tone(t, 350, 330, 0.07, 0.5),
  low_conga: t => tone(t, 210, 190, 0.22, 0.55),
};

// Play patterns one behind the other; a single one goes round until it is stopped.
function play(patterns, onStation) {
  openSound();
  stop();
  sound.playing = patterns;
  sound.onStation = onStation || (() => {});
  sound.place = 0;
  sound.step = 0;
  sound.next = sound.context.currentTime + 0.06;
  sound.timer = setInterval(schedule, 25);
  schedule();
}

function schedule() {
  const length = 15 / Number(document.getElementById("tempo").value);
  while (sound.playing.length && sound.next < sound.context.currentTime + 0.12) {
    const pattern = sound.playing[sound.place];
    if (sound.step === 0) sound.onStation(sound.place);
    head.kit.forEach((cls, k) => {
      if (pattern[sound.step] >> k & 1) { (voices[cls.name] || voices.low_conga)(sound.next); sound.heard++; }
    });
    sound.next += length;
    sound.step++;
    if (sound.step === pattern.length) {
      sound.step = 0;
      sound.place++;
      if (sound.place === sound.playing.length) {
        if (sound.playing.length > 1) { clearInterval(sound.timer); sound.playing = []; return; }
        sound.place = 0;
      }
    }
  }
}

function stop() {
  clearInterval(sound.timer);
  sound.playing = [];
}
