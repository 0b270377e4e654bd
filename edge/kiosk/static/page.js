// The person's page: draws what the terminal says, sends back what is touched.  It decides nothing and keeps nothing.
// The protocol is described in docs/page.md and edge/kiosk/protocol.py.

const SETTLE_MS = 350;       // a new page takes no touch at first: the finger may still be tapping on the old one
const AGAIN_MS = 700;        // a trembling finger taps twice and means once
const BACKOFF_MS = [250, 500, 1000, 2000, 4000];
const SMALLEST_FIT = 0.4;
const LARGEST_FIT = { words: 1.5, tall: 1.2, other: 1 };   // a page of few words says them larger
const MOST_TYPED = 24;       // a few more than a number has, so that one too many can be seen and taken back
const MAIN = ["start_self", "yes", "still_here", "finish"];   // the first of these stands out
const EQUAL = ["agree", "decline"];                            // consent is free: neither stands out more
const TYPING_MS = 5000;      // how often the terminal hears that somebody is typing

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
let parked = "";             // what was typed, while the terminal asks whether somebody is still there
let typingToldAt = -Infinity;
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
  parked = "";
  body.dataset.state = "waiting";
  for (const name of ["screen", "action", "advice", "long", "breaks", "brief", "light"]) delete body.dataset[name];
  body.dataset.tone = "calm";
  voice.pause();
  clearNumber();
  clearPicture();
  for (const id of ["prompt", "detail", "note"]) write($(id), null);
  $("ticket").textContent = "";
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
  shine(next.light);
  mark("long", (next.detail?.zh.length ?? 0) > 60 ? "yes" : null);

  keepOrClearNumber(before, next);
  if (!next.preview) clearPicture();

  write($("prompt"), next.prompt);
  $("ticket").textContent = next.ticket;
  $("ticket").hidden = !next.ticket;
  const note = next.advice && next.preview && next.advice.text.key !== next.prompt.key ? next.advice.text : null;
  write($("note"), note);
  write($("detail"), note ? null : next.detail);   // one thing at a time
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

/** Light the face in this colour (#rrggbb); null: the page's own.  The style sheet fades. */
function shine(colour) {
  if (colour) body.style.setProperty("--light", colour);
  else body.style.removeProperty("--light");
  mark("light", colour ? "yes" : null);
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

/**
 * Make the words as large as they fit, down to 24 px.  First with lines that end at commas; then with lines that
 * break anywhere; then, for a long text on a small screen, without the second language, then without the detail.
 */
function fit() {
  const side = $("side");
  const prompt = $("prompt").querySelector(".zh");
  const fits = () => side.scrollHeight <= side.clientHeight + 1 && prompt.scrollWidth <= prompt.clientWidth + 1;
  const largest = LARGEST_FIT[innerHeight > innerWidth ? "tall" : body.dataset.layout === "words" ? "words" : "other"];
  for (const [breaks, brief, smallest] of [[false, 0, 0.75], [true, 0, SMALLEST_FIT], [true, 1, SMALLEST_FIT], [true, 2, SMALLEST_FIT]]) {
    mark("breaks", breaks);
    mark("brief", brief);
    for (let size = largest; size > smallest - 0.01; size -= 0.1) {
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
  const idle = view.screen === "idle" && many === 4;
  const columns = idle ? 3 : many <= 4 ? many : many <= 6 ? 3 : 4;
  const alone = (choice) => shown.filter((other) => other.touch === choice.touch).length === 1;
  const stands = (choice) => MAIN.includes(choice.touch) && alone(choice) && choice.label.key !== "button.colleague";
  const main = keypad ? null : shown.find((choice) => choice.label.key === "button.continue") ?? shown.find(stands);
  const long = many > 3 && many < 6 && shown.some(({ label }) => label.zh.length > 5);   // room by need, not by share
  nav.className = idle ? "first-wide" : preview || many === 5 || long ? "flow" : "";
  nav.style.setProperty("--columns", Math.max(columns, 1));
  nav.style.setProperty("--columns-tall", many <= 1 ? 1 : many === 3 && !preview && !keypad ? 1 : 2);
  nav.replaceChildren(...shown.map((choice) => {
    const button = labelled(choice.label, choice === main || EQUAL.includes(choice.touch) ? "main" : "");
    button.dataset.touch = choice.touch;
    button.dataset.value = choice.value;
    button.addEventListener("click", () => touch(choice, choice.value, button));
    return button;
  }));
}

/** The button that sends a staff number, where the view has one: then the keypad's own button does that. */
function carriesNumber() {
  return view?.keypad ? view.choices.find((choice) => choice.touch === "start_assisted") : undefined;
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
  if (view?.keypad && number.length < MOST_TYPED) setNumber(number + sign.toUpperCase());
}

function setNumber(text) {
  number = text;
  const now = performance.now();
  if (text && view?.keypad && !view.prompt.key.startsWith("help.") && now - typingToldAt > TYPING_MS) {
    typingToldAt = now;
    send({ type: "touch", touch: "still_here", serial: view.serial });
  }
  $("number").className = text.length > 18 ? "long" : "";
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

/**
 * What was typed leaves the page with the view it was typed on, except where the person goes on with it: told to
 * compare it with the card, reading the help, or asked whether she is still there.
 */
function keepOrClearNumber(before, next) {
  const asks = next.prompt.key === "ask.still_there";
  if (asks && before?.keypad) parked = number;
  const sameNumber = (view) => /^(identify\.number_|help\.)/.test(view.prompt.key);
  if (!next.keypad || !before?.keypad || !(sameNumber(next) || before.prompt.key.startsWith("help."))) clearNumber();
  if (next.keypad && parked) setNumber(parked);
  if (!asks) parked = "";
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
