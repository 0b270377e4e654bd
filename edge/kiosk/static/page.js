// The person's page: draws what the terminal says, sends back what is touched.  It decides nothing and keeps nothing.
// The protocol is described in docs/page.md and edge/kiosk/protocol.py.

const SETTLE_MS = 350;       // a new page takes no touch at first: the finger may still be tapping on the old one
const AGAIN_MS = 700;        // a trembling finger taps twice and means once
const BACKOFF_MS = [250, 500, 1000, 2000, 4000];
const SMALLEST_FIT = 0.4;
const MAIN = new Set(["start_self", "yes", "agree", "decline", "finish", "still_here"]);
const COMPARING = "identify.number_";   // these prompts ask to compare what was typed with the card: it stays visible

const $ = (id) => document.getElementById(id);
const body = document.body;
const canvas = $("preview");
const pen = canvas.getContext("2d");
const voice = new Audio();

let socket = null;
let failures = 0;
let hello = null;
let view = null;
let number = "";
let asked = false;           // a preview frame is on its way
let touchableAt = 0;
let lastTouch = { what: "", at: -Infinity };

// --- connection ---

function connect() {
  socket = new WebSocket(`ws://${location.host}/ws`);
  socket.binaryType = "blob";
  socket.onmessage = ({ data }) => (typeof data === "string" ? hear(JSON.parse(data)) : draw(data));
  socket.onclose = () => {
    asked = false;
    wait();
    const pause = BACKOFF_MS[Math.min(failures, BACKOFF_MS.length - 1)];
    failures += 1;
    setTimeout(connect, pause * (0.75 + Math.random() / 2));
  };
}

function send(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

function hear(message) {
  if (message.type === "hello") greet(message);
  else if (message.type === "view") show(message);
  else if (message.type === "say") say(message.text);
}

function greet(message) {
  hello = message;
  failures = 0;
  body.dataset.lead = message.language;
  document.documentElement.lang = message.language === "zh" ? "zh-CN" : "en";
  $("brand").querySelector("span").textContent = message.words["page.brand"][message.language];
  write($("done"), message.words["page.done"]);
  makeKeys();
  askForPicture();
}

/** Clear everything of the person, and say kindly that it takes a moment. */
function wait() {
  view = null;
  body.dataset.state = "waiting";
  for (const name of ["screen", "action", "advice", "long", "brief"]) delete body.dataset[name];
  body.dataset.tone = "calm";
  voice.pause();
  clearNumber();
  clearPicture();
  for (const id of ["prompt", "detail", "note"]) write($(id), null);
  $("choices").replaceChildren();
}

// --- the view ---

function show(next) {
  const before = view;
  view = next;
  const buttons = JSON.stringify([next.screen, next.keypad, next.choices]);
  const newButtons = before === null || buttons !== JSON.stringify([before.screen, before.keypad, before.choices]);

  body.dataset.state = "showing";
  body.dataset.screen = next.screen;
  body.dataset.tone = next.tone;
  body.dataset.layout = next.keypad ? "keypad" : next.preview ? "picture" : "words";
  mark("action", next.action?.kind);
  mark("advice", next.preview ? next.advice?.kind : null);
  mark("long", (next.detail?.zh.length ?? 0) > 60 ? "yes" : null);

  if (!next.keypad || !(next.prompt.key.startsWith(COMPARING) && before?.keypad)) clearNumber();
  if (!next.preview) clearPicture();

  write($("prompt"), next.prompt);
  write($("detail"), next.detail);
  write($("note"), next.advice && next.preview && next.advice.text.key !== next.prompt.key ? next.advice.text : null);
  if (newButtons) {
    makeChoices(next);
    touchableAt = performance.now() + SETTLE_MS;
  }
  fit();
}

function mark(name, value) {
  if (value) body.dataset[name] = value;
  else delete body.dataset[name];
}

/** Write both languages into an element; null empties and hides it. */
function write(element, text) {
  element.hidden = !text;
  for (const language of ["zh", "en"]) {
    const place = element.querySelector(`.${language}`);
    const words = text?.[language] ?? "";
    if (place.textContent !== words) place.textContent = words;
  }
}

/** Shrink the words until they fit; on the smallest screens the long detail drops its second language. */
function fit() {
  const side = $("side");
  const fits = () => side.scrollHeight <= side.clientHeight + 1 && side.scrollWidth <= side.clientWidth + 1;
  delete body.dataset.brief;
  for (const brief of [false, true]) {
    if (brief) body.dataset.brief = "yes";
    for (let size = 1; size >= SMALLEST_FIT; size -= 0.06) {
      body.style.setProperty("--fit", size.toFixed(2));
      if (fits()) return;
    }
  }
}

// --- touching ---

function labelled(text, className) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = className;
  for (const language of ["zh", "en"]) {
    const span = document.createElement("span");
    span.className = language;
    span.lang = language === "zh" ? "zh-CN" : "en";
    span.textContent = text[language];
    button.append(span);
  }
  return button;
}

function makeChoices({ choices, preview, keypad }) {
  const nav = $("choices");
  const carrier = carriesNumber();
  const shown = choices.filter((choice) => choice !== carrier);
  const many = shown.length;
  const columns = many <= 4 ? many : many <= 6 ? 3 : 4;
  nav.className = preview || (many > 4 && many <= 5) ? "flow" : "";
  nav.style.setProperty("--columns", Math.max(columns, 1));
  nav.style.setProperty("--columns-tall", many <= 1 ? 1 : many === 3 && !preview && !keypad ? 1 : 2);
  nav.replaceChildren(...shown.map((choice) => {
    const button = labelled(choice.label, MAIN.has(choice.touch) && !keypad ? "main" : "");
    button.dataset.touch = choice.touch;
    button.dataset.value = choice.value;
    button.addEventListener("click", () => touch(choice, choice.value, button));
    return button;
  }));
}

/** The button that sends a staff number, where the view has one: then the keypad's own button does that. */
function carriesNumber() {
  return view?.keypad ? view.choices.find((choice) => choice.label.key === "button.continue") : undefined;
}

function touch(choice, value, button) {
  const now = performance.now();
  const what = `${choice.touch} ${choice.value}`;
  if (view === null || now < touchableAt || (what === lastTouch.what && now - lastTouch.at < AGAIN_MS)) return;
  lastTouch = { what, at: now };
  send({ type: "touch", touch: choice.touch, value, serial: view.serial });
  button.classList.add("sent");
  setTimeout(() => button.classList.remove("sent"), AGAIN_MS);
}

// --- the number ---

function makeKeys() {
  const key = (label, press) => {
    const button = typeof label === "string" ? document.createElement("button") : labelled(label, "word");
    if (typeof label === "string") button.textContent = label;
    button.type = "button";
    button.addEventListener("click", press);
    return button;
  };
  const digit = (sign) => key(sign, () => type(sign));
  $("keys").replaceChildren(
    ..."123456789".split("").map(digit), digit("X"), digit("0"),
    key(hello.words["page.delete"], () => setNumber(number.slice(0, -1))),
  );
}

function type(sign) {
  if (view?.keypad && number.length < hello.max_number_chars) setNumber(number + sign.toUpperCase());
}

function setNumber(text) {
  number = text;
  // An identity number reads best as place, date of birth, rest.
  const groups = [text.slice(0, 6), text.slice(6, 14), text.slice(14)].filter((group) => group);
  $("number").replaceChildren(...groups.map((group) => {
    const span = document.createElement("span");
    span.textContent = group;
    return span;
  }));
}

function clearNumber() {
  if (number || $("number").firstChild) setNumber("");
}

function sendNumber() {
  if (!view?.keypad || performance.now() < touchableAt) return;
  const carrier = carriesNumber();
  if (carrier) touch(carrier, number, $("done"));
  else send({ type: "number", text: number, source: "keypad", serial: view.serial });
}

$("done").addEventListener("click", sendNumber);

window.addEventListener("keydown", (event) => {
  if (!view?.keypad || event.ctrlKey || event.altKey || event.metaKey) return;
  if (/^[0-9a-zA-Z]$/.test(event.key)) type(event.key);
  else if (event.key === "Backspace") setNumber(number.slice(0, -1));
  else if (event.key === "Enter" && !$("choices").contains(document.activeElement)) sendNumber();
  else return;
  event.preventDefault();
});
window.addEventListener("contextmenu", (event) => event.preventDefault());

// --- the picture ---

async function draw(blob) {
  asked = false;
  if (view?.preview) {
    try {
      const picture = await createImageBitmap(blob);
      if (view?.preview) {
        if (canvas.width !== picture.width || canvas.height !== picture.height) {
          canvas.width = picture.width;
          canvas.height = picture.height;
        }
        pen.drawImage(picture, 0, 0);
      }
      picture.close();
    } catch {
      // A damaged picture is skipped; the next one comes.
    }
  }
  askForPicture();
}

function askForPicture() {
  if (asked) return;
  asked = true;
  send({ type: "ready" });
}

function clearPicture() {
  if (canvas.width !== 4) canvas.width = 4;   // setting the width wipes the canvas
  if (canvas.height !== 3) canvas.height = 3;
}

// --- the voice ---

/** Play the recorded sentence where there is one; where there is none and the page does not show it, caption it. */
function say(text) {
  voice.pause();
  const language = body.dataset.lead;
  if (hello?.voices[language]?.includes(text.key)) {
    voice.src = `/static/voice/${language}/${text.key}.ogg`;
    voice.play().catch(() => caption(text));
  } else {
    caption(text);
  }
}

function caption(text) {
  const shown = [view?.prompt, view?.detail, view?.advice?.text, view?.action?.text];
  if (view === null || shown.some((other) => other?.key === text.key)) return;
  write($("note"), text);
  fit();
}

window.addEventListener("resize", fit);
document.fonts.ready.then(fit);
connect();
