const config = JSON.parse(document.getElementById("config").textContent);
const place = "backbeat-listening-" + config.test;
const $ = (id) => document.getElementById(id);

/* What is kept over a reload: who listens, where they are, what they said. */
function load() {
  try {
    const kept = JSON.parse(localStorage.getItem(place));
    if (kept && typeof kept.listener === "string" && kept.answers) return kept;
  } catch (error) { /* nothing kept, or a browser that keeps nothing */ }
  const bytes = crypto.getRandomValues(new Uint8Array(5));
  return { listener: Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join(""), at: -1, answers: {} };
}
function save() {
  try { localStorage.setItem(place, JSON.stringify(state)); } catch (error) { /* the answers still live in this page */ }
}

/* A generator seeded by the listener's name (mulberry32), so that the order is theirs and the same after a reload. */
function seeded(text) {
  let a = 0;
  for (const c of text) a = (Math.imul(a, 31) + c.charCodeAt(0)) | 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
function shuffle(items, random) {
  const out = items.slice();
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [out[i], out[j]] = [out[j], out[i]];
  }
  return out;
}

function make(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties || {});
  node.append(...children);
  return node;
}

const state = load();
const random = seeded(state.listener);
const trials = shuffle(config.trials, random).map((clips) => shuffle(clips, random));
const questions = Object.entries(config.questions);
const [low, high] = config.ratings;
const isRated = (clip) => questions.every(([name]) => state.answers[clip] && state.answers[clip][name]);
let warned = false;

function rate(clip, name, value) {
  state.answers[clip] = Object.assign({}, state.answers[clip], { [name]: value });
  save();
  $("clip-" + clip).classList.toggle("done", isRated(clip));
  $("message").textContent = "";
}

function makeQuestion(clip, letter, name, text) {
  const field = make("fieldset", {}, make("legend", { textContent: text }), make("span", { className: "ends", textContent: "not at all" }));
  for (let value = low; value <= high; value++) {
    const input = make("input", { type: "radio", name: clip + "-" + name, value: String(value) });
    input.checked = Boolean(state.answers[clip]) && state.answers[clip][name] === value;
    input.addEventListener("change", () => rate(clip, name, value));
    field.append(make("label", {}, input, String(value)));
  }
  field.append(make("span", { className: "ends", textContent: "very" }));
  field.setAttribute("aria-label", "Clip " + letter + ": " + text);
  return field;
}

function makeClip(clip, index) {
  const letter = String.fromCharCode(65 + index);
  const audio = make("audio", { controls: true, preload: "auto", src: "clips/" + clip + ".mp3" });
  audio.setAttribute("aria-label", "Clip " + letter);
  audio.addEventListener("play", () => document.querySelectorAll("audio").forEach((other) => { if (other !== audio) other.pause(); }));
  audio.addEventListener("error", () => { $("message").textContent = "Clip " + letter + " cannot be played: is the folder clips beside this page?"; });
  const box = make("section", { id: "clip-" + clip, className: "clip" + (isRated(clip) ? " done" : "") }, make("h2", { textContent: "Clip " + letter }), audio);
  box.setAttribute("aria-label", "Clip " + letter);
  for (const [name, text] of questions) box.append(makeQuestion(clip, letter, name, text));
  return box;
}

function go(at) {
  state.at = at;
  warned = false;
  save();
  show();
  window.scrollTo(0, 0);
}

function next() {
  const missing = trials[state.at].filter((clip) => !isRated(clip)).length;
  if (missing && !warned) {
    warned = true;
    $("message").textContent = missing + (missing === 1 ? " clip is" : " clips are") + " not rated yet. Press again to go on all the same.";
    return;
  }
  go(state.at + 1);
}

function collect() {
  const clips = trials.flat().filter((clip) => state.answers[clip]);
  return { format: FORMAT, version: 1, test: config.test, listener: state.listener, answers: clips.map((clip) => Object.assign({ clip }, state.answers[clip])) };
}
function download() {
  const data = new Blob([JSON.stringify(collect(), null, 1) + "\n"], { type: "application/json" });
  const link = make("a", { href: URL.createObjectURL(data), download: "answers-" + state.listener + ".json" });
  document.body.append(link);
  link.click();
  link.remove();
}

function makeButton(text, action, isMain) {
  return make("button", { type: "button", textContent: text, className: isMain ? "main" : "", onclick: action });
}

function showStart() {
  const lines = [
    "You will hear " + trials.length + (trials.length === 1 ? " song." : " songs.") + " Of each there are " + trials[0].length + " clips with the same band and different drums. Some drums were played by people, some by programs.",
    "Listen to every clip, as often as you like, with headphones if you can. Then rate it from " + low + " (not at all) to " + high + " (very). Compare the clips of a song with one another; there are no right answers.",
    "Your ratings are kept in this browser and go nowhere else. At the end you save them as a file and send it to whoever asked you.",
  ];
  const keys = make("p", {}, "Keys: ", make("kbd", { textContent: "Tab" }), " goes on, ", make("kbd", { textContent: "Space" }), " plays, the arrow keys choose a rating.");
  $("stage").replaceChildren(...lines.map((line) => make("p", { textContent: line })), keys);
  $("buttons").replaceChildren(makeButton("Begin", () => go(0), true));
}

function showEnd() {
  const rated = trials.flat().filter(isRated).length, all = trials.flat().length;
  const name = "answers-" + state.listener + ".json";
  $("stage").replaceChildren(
    make("h2", { textContent: "Thank you" }),
    make("p", { textContent: "You rated " + rated + " of " + all + " clips. Save your answers as " + name + " and send the file back." }));
  $("buttons").replaceChildren(makeButton("Save my answers", download, true), makeButton("Back", () => go(trials.length - 1)));
}

function show() {
  const at = state.at = Math.max(-1, Math.min(trials.length, state.at | 0));
  $("message").textContent = "";
  $("progress").textContent = at < 0 ? "" : at < trials.length ? "Song " + (at + 1) + " of " + trials.length : "Done";
  $("bar").style.width = (100 * Math.max(0, at)) / trials.length + "%";
  if (at < 0) return showStart();
  if (at === trials.length) return showEnd();
  $("stage").replaceChildren(...trials[at].map(makeClip));
  const buttons = [makeButton(at + 1 < trials.length ? "Next song" : "Finish", next, true)];
  if (at > 0) buttons.push(makeButton("Back", () => go(at - 1)));
  $("buttons").replaceChildren(...buttons);
}

show();
