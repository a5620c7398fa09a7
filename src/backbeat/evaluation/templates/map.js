// The map itself: drawing, pointer and keys.
const byId = id => document.getElementById(id);
const stage = byId("stage"), canvas = byId("points"), marks = byId("marks");
const view = { x: 0, y: 0, scale: 1, tool: "move", hover: -1, drag: null, lasso: [], chosen: [], way: null, hidden: new Set(), saved: [] };
const GREY = 0xffb4b4b4, RED = 0xff2020c8, STATIONS = 9;
let colours, order, pixels, image, ratio = 1, dirty = true;

function fit() {
  let x0 = Infinity, x1 = -Infinity, y0 = Infinity, y1 = -Infinity;
  for (let i = 0; i < head.points; i++) {
    const x = map.places[2 * i], y = map.places[2 * i + 1];
    if (x < x0) x0 = x; if (x > x1) x1 = x; if (y < y0) y0 = y; if (y > y1) y1 = y;
  }
  view.scale = 0.94 * Math.min(canvas.width / (x1 - x0 || 1), canvas.height / (y1 - y0 || 1));
  view.x = canvas.width / 2 - view.scale * (x0 + x1) / 2;
  view.y = canvas.height / 2 - view.scale * (y0 + y1) / 2;
  dirty = true;
}

function resize() {
  ratio = Math.min(2, window.devicePixelRatio || 1);
  for (const c of [canvas, marks]) { c.width = Math.max(1, Math.round(stage.clientWidth * ratio)); c.height = Math.max(1, Math.round(stage.clientHeight * ratio)); }
  image = canvas.getContext("2d").createImageData(canvas.width, canvas.height);
  pixels = new Uint32Array(image.data.buffer);
  dirty = true;
}

function colourOf(hex) {
  const n = parseInt(hex.slice(1), 16);
  return (0xff000000 | (n & 255) << 16 | (n & 0xff00) | n >> 16) >>> 0;
}

function isHidden(i) {
  return i >= map.learned ? !byId("show-generated").checked : view.hidden.has(map.genres[i]);
}

function drawPoints() {
  pixels.fill(0xffffffff);
  const width = canvas.width, height = canvas.height, { x, y, scale } = view, base = Math.max(2, Math.round(ratio * 1.5)) + (scale * 0.2 > 8 ? 2 : 0);
  for (const i of order) {
    const genre = map.genres[i];
    if (i >= map.learned ? view.noGenerated : view.hidden.has(genre)) continue;
    const size = genre ? base + 1 : base;
    const left = Math.round(x + scale * map.places[2 * i] - size / 2), top = Math.round(y + scale * map.places[2 * i + 1] - size / 2);
    if (left < 0 || top < 0 || left + size >= width || top + size >= height) continue;
    const colour = colours[i];
    for (let row = 0; row < size; row++) { const at = (top + row) * width + left; for (let k = 0; k < size; k++) pixels[at + k] = colour; }
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function drawMarks() {
  const c = marks.getContext("2d");
  c.clearRect(0, 0, marks.width, marks.height);
  c.lineWidth = 2 * ratio;
  if (byId("show-labels").checked) {
    c.font = 600 + " " + 14 * ratio + "px system-ui, DejaVu Sans, sans-serif";
    c.textAlign = "center";
    c.textBaseline = "middle";
    const boxes = [], tall = 22 * ratio;
    head.genres.forEach((genre, k) => {
      const place = head.centres[genre.name];
      if (!place || view.hidden.has(k + 1)) return;
      const x = view.x + view.scale * place[0], y = view.y + view.scale * place[1], wide = c.measureText(genre.name).width + 10 * ratio;
      boxes.push({ genre, x, y, wide, top: y });
    });
    boxes.sort((a, b) => a.y - b.y);
    boxes.forEach((box, k) => {  // names that would lie on each other move down
      for (let again = true; again;) {
        again = false;
        for (const other of boxes.slice(0, k)) {
          if (Math.abs(box.x - other.x) < (box.wide + other.wide) / 2 && Math.abs(box.top - other.top) < tall + 2) { box.top = other.top + tall + 3; again = true; }
        }
      }
      c.strokeStyle = box.genre.colour;
      if (box.top !== box.y) { c.beginPath(); c.moveTo(box.x, box.y); c.lineTo(box.x, box.top); c.stroke(); }
    });
    for (const { genre, x, wide, top } of boxes) {
      c.fillStyle = "rgba(255,255,255,.88)";
      c.fillRect(x - wide / 2, top - tall / 2, wide, tall);
      c.strokeStyle = genre.colour;
      c.strokeRect(x - wide / 2, top - tall / 2, wide, tall);
      c.fillStyle = "#1d1d1f";
      c.fillText(genre.name, x, top);
    }
  }
  if (view.hover >= 0) { ring(c, view.hover, "#1d1d1f"); }
  for (const i of view.chosen.length > 3000 ? [] : view.chosen) ring(c, i, "#1f4e79", 3);
  if (view.way) {
    const [a, b] = [placeOf(view.way.from), view.way.to >= 0 ? placeOf(view.way.to) : view.way.at];
    c.strokeStyle = "#1d1d1f";
    c.beginPath(); c.moveTo(a[0], a[1]); c.lineTo(b[0], b[1]); c.stroke();
    ring(c, view.way.from, "#1d1d1f");
    if (view.way.share >= 0) {
      c.fillStyle = "#c82020";
      c.beginPath(); c.arc(a[0] + view.way.share * (b[0] - a[0]), a[1] + view.way.share * (b[1] - a[1]), 6 * ratio, 0, 7); c.fill();
    }
  }
  if (view.lasso.length) {
    c.strokeStyle = "#1f4e79";
    c.fillStyle = "rgba(31,78,121,.12)";
    c.beginPath(); view.lasso.forEach(([x, y], k) => k ? c.lineTo(x, y) : c.moveTo(x, y)); c.closePath(); c.fill(); c.stroke();
  }
}

function placeOf(i) {
  return [view.x + view.scale * map.places[2 * i], view.y + view.scale * map.places[2 * i + 1]];
}

function ring(c, i, colour, radius) {
  const [x, y] = placeOf(i);
  c.strokeStyle = colour;
  c.beginPath(); c.arc(x, y, (radius || 7) * ratio, 0, 7); c.stroke();
}

function frame() {
  if (dirty) { dirty = false; drawPoints(); drawMarks(); }
  requestAnimationFrame(frame);
}

// The pattern nearest to a place on the screen, within so many pixels; -1 = none.
function findNear(px, py, within) {
  let best = -1, least = within * within;
  for (let i = 0; i < head.points; i++) {
    const dx = view.x + view.scale * map.places[2 * i] - px, dy = view.y + view.scale * map.places[2 * i + 1] - py, d = dx * dx + dy * dy;
    if (d < least && !isHidden(i)) { least = d; best = i; }
  }
  return best;
}

function drawGrid(pattern) {
  const g = byId("grid"), c = g.getContext("2d"), used = head.kit.map((cls, k) => ({ cls, k })).filter(r => r.cls.name !== "unused");
  const left = 130, row = (g.height - 16) / used.length, wide = (g.width - left) / pattern.length;
  c.clearRect(0, 0, g.width, g.height);
  c.font = "13px system-ui, DejaVu Sans, sans-serif";
  c.textBaseline = "middle";
  used.reverse().forEach(({ cls, k }, line) => {
    const y = line * row;
    c.fillStyle = "#1d1d1f";
    c.textAlign = "right";
    c.fillText(cls.label, left - 8, y + row / 2);
    for (let step = 0; step < pattern.length; step++) {
      c.fillStyle = pattern[step] >> k & 1 ? "#1f4e79" : step % 16 < 1 ? "#c9ced6" : step % 4 === 0 ? "#dfe3e8" : "#f0f1f3";
      c.fillRect(left + step * wide + 1, y + 1, wide - 2, row - 2);
    }
  });
}

function tell(i) {
  const genre = map.genres[i] ? head.genres[map.genres[i] - 1].name : "";
  const what = i >= map.learned ? "generated" : genre || "genre not known";
  byId("told").textContent = "Pattern " + (i + 1).toLocaleString("en") + ": " + what + ". A click plays it.";
  drawGrid(patternOf(i));
}

function goWay(from, to) {
  const stations = interpolate(from, to, STATIONS);
  view.way = { from, to, share: 0, stations };
  view.saved = stations.map(s => s.pattern);
  byId("way").hidden = false;
  byId("stations").replaceChildren(...stations.map((station, number) => {
    const line = document.createElement("li"), button = document.createElement("button");
    button.type = "button";
    button.textContent = Math.round(100 * station.share) + " %";
    button.onclick = () => { drawGrid(station.pattern); play([station.pattern]); };
    line.append(button);
    return line;
  }));
  offer(stations.length + " patterns on the way");
  play(stations.map(s => s.pattern), number => {
    view.way && (view.way.share = stations[number].share);
    byId("stations").childNodes.forEach((line, k) => line.classList.toggle("playing", k === number));
    drawGrid(stations[number].pattern);
    dirty = true;
  });
}

function offer(text) {
  byId("chosen").hidden = !view.saved.length;
  byId("chosen-told").textContent = text;
}

function closeLasso() {
  const edge = view.lasso, inside = [];
  for (let i = 0; edge.length > 2 && i < head.points; i++) {
    if (isHidden(i)) continue;
    const [x, y] = placeOf(i);
    let odd = false;
    for (let a = 0, b = edge.length - 1; a < edge.length; b = a++) {
      if ((edge[a][1] > y) !== (edge[b][1] > y) && x < (edge[b][0] - edge[a][0]) * (y - edge[a][1]) / (edge[b][1] - edge[a][1]) + edge[a][0]) odd = !odd;
    }
    if (odd) inside.push(i);
  }
  view.chosen = inside;
  view.saved = inside.map(patternOf);
  offer(inside.length.toLocaleString("en") + " patterns chosen");
}

function save() {
  const data = writeMidi(view.saved, Number(byId("tempo").value), 1), link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([data], { type: "audio/midi" }));
  link.download = "patterns.mid";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function setTool(name) {
  view.tool = name;
  view.lasso = [];
  for (const tool of ["move", "way", "lasso"]) byId("tool-" + tool).setAttribute("aria-pressed", String(tool === name));
  stage.className = name;
  dirty = true;
}

function zoom(px, py, factor) {
  const next = Math.min(1e5, Math.max(1e-3, view.scale * factor)), by = next / view.scale;
  view.x = px + (view.x - px) * by;
  view.y = py + (view.y - py) * by;
  view.scale = next;
  dirty = true;
}

const pointers = new Map();
const at = event => { const box = stage.getBoundingClientRect(); return [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio]; };

stage.addEventListener("pointerdown", event => {
  const place = at(event);
  stage.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, place);
  view.drag = { start: place, last: place, moved: false };
  if (view.tool === "way") {
    const from = findNear(place[0], place[1], 40 * ratio);
    view.way = from >= 0 ? { from, to: -1, at: place, share: -1 } : null;
  }
  if (view.tool === "lasso") view.lasso = [place];
});

stage.addEventListener("pointermove", event => {
  const place = at(event);
  if (!view.drag || !pointers.has(event.pointerId)) {
    const near = findNear(place[0], place[1], 12 * ratio);
    if (near !== view.hover) { view.hover = near; if (near >= 0) tell(near); drawMarks(); }
    return;
  }
  if (pointers.size === 2) {
    const [a, b] = [...pointers.values()], before = Math.hypot(a[0] - b[0], a[1] - b[1]);
    pointers.set(event.pointerId, place);
    const [c, d] = [...pointers.values()];
    zoom((c[0] + d[0]) / 2, (c[1] + d[1]) / 2, Math.hypot(c[0] - d[0], c[1] - d[1]) / (before || 1));
    view.drag.moved = true;
    return;
  }
  pointers.set(event.pointerId, place);
  if (Math.hypot(place[0] - view.drag.start[0], place[1] - view.drag.start[1]) > 4 * ratio) view.drag.moved = true;
  if (view.tool === "move" && view.drag.moved) { view.x += place[0] - view.drag.last[0]; view.y += place[1] - view.drag.last[1]; }
  if (view.tool === "way" && view.way) view.way.at = place;
  if (view.tool === "lasso") view.lasso.push(place);
  view.drag.last = place;
  dirty = true;
});

stage.addEventListener("pointerup", event => {
  const place = at(event), drag = view.drag;
  pointers.delete(event.pointerId);
  if (pointers.size || !drag) return;
  view.drag = null;
  if (view.tool === "lasso") closeLasso();
  else if (view.tool === "way" && view.way && view.way.to < 0) {
    const to = findNear(place[0], place[1], 40 * ratio);
    if (to >= 0 && to !== view.way.from) goWay(view.way.from, to);
    else view.way = null;
  } else if (!drag.moved) {
    const near = findNear(place[0], place[1], 16 * ratio);
    if (near >= 0) { view.hover = near; tell(near); play([patternOf(near)]); } else stop();
  }
  dirty = true;
});
stage.addEventListener("pointercancel", event => { pointers.delete(event.pointerId); view.drag = null; });
stage.addEventListener("wheel", event => { event.preventDefault(); const [x, y] = at(event); zoom(x, y, Math.exp(-event.deltaY * 0.0015)); }, { passive: false });

window.addEventListener("keydown", event => {
  if (event.target.tagName === "INPUT" && event.key !== "Escape") return;
  if (event.target.tagName === "BUTTON" && (event.key === " " || event.key === "Enter")) return;
  const move = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
  if (move) { view.x += move[0]; view.y += move[1]; }
  else if (event.key === "+" || event.key === "=") zoom(canvas.width / 2, canvas.height / 2, 1.3);
  else if (event.key === "-") zoom(canvas.width / 2, canvas.height / 2, 1 / 1.3);
  else if (event.key === "0") fit();
  else if (event.key === " ") stop();
  else if (event.key === "Enter") { const i = findNear(canvas.width / 2, canvas.height / 2, 1e4); if (i >= 0) { view.hover = i; tell(i); play([patternOf(i)]); } }
  else if (event.key === "Escape") { view.way = null; view.chosen = []; view.lasso = []; view.saved = []; byId("way").hidden = true; offer(""); stop(); }
  else if ("mwl".includes(event.key)) setTool({ m: "move", w: "way", l: "lasso" }[event.key]);
  else return;
  event.preventDefault();
  dirty = true;
});

// Frames while the map is moved and zoomed for so many ms; for measuring.
function measureFrames(milliseconds) {
  return new Promise(resolve => {
    const begun = performance.now(), times = [], work = [];
    let before = begun;
    const turn = now => {
      times.push(now - before);
      before = now;
      view.x += 6 * Math.sin(now / 200);
      zoom(canvas.width / 2, canvas.height / 2, 1 + 0.02 * Math.sin(now / 300));
      const drawn = performance.now();
      dirty = false;
      drawPoints();
      drawMarks();
      work.push(performance.now() - drawn);
      if (now - begun < milliseconds) requestAnimationFrame(turn);
      else { times.shift(); const sorted = [...work].sort((a, b) => a - b); resolve({ frames: times.length, mean: times.reduce((a, b) => a + b, 0) / times.length, worst: Math.max(...times), work: sorted[sorted.length >> 1], worst_work: sorted[sorted.length - 1] }); }
    };
    requestAnimationFrame(turn);
  });
}

function showGenres() {
  byId("genres").replaceChildren(...head.genres.map((genre, k) => {
    const label = document.createElement("label"), box = document.createElement("input"), dot = document.createElement("i");
    box.type = "checkbox";
    box.checked = true;
    box.onchange = () => { view.hidden[box.checked ? "delete" : "add"](k + 1); dirty = true; };
    dot.style.background = genre.colour;
    label.append(box, dot, genre.name);
    return label;
  }));
  const table = document.createElement("table");
  for (const [name, value] of Object.entries(head.figures)) {
    if (Array.isArray(value)) continue;
    const row = table.insertRow(), key = document.createElement("th");
    key.textContent = name;
    row.append(key);
    row.insertCell().textContent = typeof value === "number" && !Number.isInteger(value) ? value.toFixed(3) : String(value);
  }
  byId("figures").replaceChildren(table);
}

async function begin() {
  await unpack();
  colours = new Uint32Array(head.points);
  for (let i = 0; i < head.points; i++) colours[i] = i >= map.learned ? RED : map.genres[i] ? colourOf(head.genres[map.genres[i] - 1].colour) : GREY;
  const numbers = Array.from({ length: head.points }, (_, i) => i), rank = i => i >= map.learned ? 1 : map.genres[i] ? 2 : 0;
  order = Uint32Array.from(numbers.sort((a, b) => rank(a) - rank(b)));
  showGenres();
  for (const tool of ["move", "way", "lasso"]) byId("tool-" + tool).onclick = () => setTool(tool);
  byId("fit").onclick = fit;
  byId("stop").onclick = stop;
  byId("save").onclick = save;
  byId("tempo").oninput = event => { byId("tempo-shown").value = event.target.value; };
  byId("show-generated").onchange = event => { view.noGenerated = !event.target.checked; dirty = true; };
  byId("show-labels").onchange = () => { dirty = true; };
  new ResizeObserver(() => { resize(); }).observe(stage);
  resize();
  fit();
  byId("told").textContent = map.learned.toLocaleString("en") + " " + head.origin + ", " + head.generated.toLocaleString("en") + " generated. Point at one to see it.";
  requestAnimationFrame(frame);
  map.ready = true;
}
begin().catch(error => { byId("told").textContent = "The map cannot be shown: " + error.message; });
