// The map's data: unpacked from the page, and the decoder of its latent space.
const head = JSON.parse(document.getElementById("head").textContent);
const map = { ready: false };

async function unpack() {
  const raw = Uint8Array.from(atob(document.getElementById("data").textContent), c => c.charCodeAt(0));
  const stream = new Blob([raw]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = await new Response(stream).arrayBuffer();
  let at = 0;
  const floats = count => { const a = new Float32Array(bytes.slice(at, at + 4 * count)); at += 4 * count; return a; };
  map.places = floats(2 * head.points);
  map.latents = floats(head.latent * head.points);
  map.layers = head.layers.map(shape => ({ weight: floats(shape[0] * shape[1]), bias: floats(shape[0]), outputs: shape[0], inputs: shape[1] }));
  map.patterns = new Uint16Array(bytes.slice(at, at + 2 * head.steps * head.points));
  at += 2 * head.steps * head.points;
  map.genres = new Uint8Array(bytes.slice(at, at + head.points));
  map.learned = head.points - head.generated;
}

function patternOf(index) {
  return map.patterns.subarray(index * head.steps, (index + 1) * head.steps);
}

function latentOf(index) {
  return map.latents.subarray(index * head.latent, (index + 1) * head.latent);
}

// The pattern at a latent point: by the decoder where the page has it, else the pattern that lies nearest.
function decode(point) {
  if (!map.layers.length) return patternOf(findNearestLatent(point));
  let values = point;
  map.layers.forEach((layer, number) => {
    const out = new Float32Array(layer.outputs);
    for (let row = 0; row < layer.outputs; row++) {
      let sum = layer.bias[row];
      for (let k = 0; k < layer.inputs; k++) sum += layer.weight[row * layer.inputs + k] * values[k];
      out[row] = number + 1 < map.layers.length ? Math.max(0, sum) : sum;
    }
    values = out;
  });
  const classes = head.kit.length, pattern = new Uint16Array(head.steps);
  for (let cell = 0; cell < values.length; cell++) if (values[cell] > 0) pattern[Math.floor(cell / classes)] |= 1 << (cell % classes);
  return pattern;
}

function findNearestLatent(point) {
  let best = 0, least = Infinity;
  for (let i = 0; i < head.points; i++) {
    let sum = 0;
    for (let k = 0; k < head.latent; k++) { const d = map.latents[i * head.latent + k] - point[k]; sum += d * d; }
    if (sum < least) { least = sum; best = i; }
  }
  return best;
}

// Patterns on the straight line between two points, ends as they are, neighbours that are equal merged.
function interpolate(from, to, count) {
  const a = latentOf(from), b = latentOf(to), stations = [];
  for (let k = 0; k < count; k++) {
    const share = k / (count - 1), point = a.map((v, d) => v + share * (b[d] - v));
    const pattern = k === 0 ? patternOf(from) : k === count - 1 ? patternOf(to) : decode(point);
    const last = stations[stations.length - 1];
    if (!last || last.pattern.join() !== pattern.join()) stations.push({ share, pattern });
  }
  return stations;
}

// A Standard MIDI File of patterns one behind the other, each played so many times.
function writeMidi(patterns, tempo, repeats) {
  const events = [], ticks = 120;
  const us = Math.round(60e6 / tempo);
  events.push([0, [0xff, 0x51, 3, (us >> 16) & 255, (us >> 8) & 255, us & 255]]);
  let start = 0;
  patterns.forEach((pattern, number) => {
    const name = Array.from("pattern " + (number + 1), c => c.charCodeAt(0));
    events.push([start, [0xff, 6, name.length, ...name]]);
    for (let turn = 0; turn < repeats; turn++) {
      pattern.forEach((word, step) => {
        for (let k = 0; k < head.kit.length; k++) if (word >> k & 1) {
          const tick = start + (turn * pattern.length + step) * ticks;
          events.push([tick, [0x99, head.kit[k].note, 100]], [tick + ticks / 2, [0x89, head.kit[k].note, 64]]);
        }
      });
    }
    start += repeats * pattern.length * ticks;
  });
  events.push([start, [0xff, 0x2f, 0]]);
  const order = events.map((e, i) => [e[0], i, e[1]]).sort((x, y) => x[0] - y[0] || x[1] - y[1]);
  const body = [];
  let now = 0;
  for (const [tick, , data] of order) {
    let delta = tick - now, length = [delta & 127];
    while (delta >>= 7) length.unshift((delta & 127) | 128);
    body.push(...length, ...data);
    now = tick;
  }
  const size = body.length, number = n => [n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255];
  return new Uint8Array([0x4d, 0x54, 0x68, 0x64, 0, 0, 0, 6, 0, 0, 0, 1, 480 >> 8, 480 & 255, 0x4d, 0x54, 0x72, 0x6b, ...number(size), ...body]);
}
