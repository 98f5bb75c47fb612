// The client of the protocol that examples/conversational/__init__.py describes.

import {render} from "./markdown.js";
import {Loudspeaker, Microphone} from "./sound.js";

const $ = id => document.getElementById(id);
const LEFT_IN_THE_AIR = 250; // ms between the end of a word and its arrival here
const TAP = 350; // ms: a press that is shorter means "until I press again"
const MOST_UNSENT = 1 << 20; // bytes

// A token, where the server asks for one, may be given in the address: http://…/#token=…
let token = new URLSearchParams(location.hash.slice(1)).get("token") ?? sessionStorage.getItem("token") ?? "";
if (location.hash) history.replaceState(null, "", location.pathname);

let socket; // while it is open
let wait = 500; // ms until the next try
let session; // what `session.created` and `session.updated` said
let reply; // the bubble that is being written
let answer; // the last of them
let waiting; // the bubble that stands for an answer which has not begun
let isNew = false; // the connection is closed to begin anew
const items = new Map(); // what I said, by the id of the transcript

const context = new AudioContext();
const loudspeaker = new Loudspeaker(context, 24000);
const microphone = new Microphone(context, sendSound, level => $("talk").style.setProperty("--level", level.toFixed(2)));

// --- the connection

async function connect() {
  try {
    const answer = await fetch("voices", token ? {headers: {authorization: `Bearer ${token}`}} : {});
    if (answer.status === 401) return askForToken();
    showVoices(answer.ok ? (await answer.json()).voices : []);
  } catch {
    return again("The service cannot be reached; trying again.");
  }
  // A page cannot set headers on a WebSocket; a token goes along as a subprotocol.
  const protocols = token ? ["conversation", `token.${base64url(token)}`] : ["conversation"];
  const opening = new WebSocket(new URL("ws", location.href).href.replace("http", "ws"), protocols);
  opening.binaryType = "arraybuffer";
  opening.onopen = () => {
    socket = opening;
    wait = 500;
    hideNotice();
    update({
      speak: $("aloud").checked, turns: $("hands-free").checked ? "vad" : "manual", voice: $("voice").value,
      language: $("language").value,
    });
  };
  opening.onmessage = ({data}) => {
    if (typeof data === "string") return received(JSON.parse(data));
    answer?.sounds.push(data);
    loudspeaker.play(data);
  };
  opening.onclose = ({code}) => {
    const had = socket !== undefined;
    socket = session = reply = answer = undefined;
    items.clear();
    stopWaiting();
    loudspeaker.stop();
    releaseTalk();
    if (isNew) {
      isNew = false;
      $("log").replaceChildren(empty);
      $("new").hidden = true;
      return connect();
    }
    if (had) note("the connection has ended; what follows is a new conversation");
    again(code === 1012 ? "The service is being restarted; trying again." :
      "The service cannot be reached, or has too many conversations; trying again.");
  };
}

function again(words) {
  show("disconnected");
  complain(words);
  setTimeout(connect, wait);
  wait = Math.min(wait * 2, 3000);
}

function askForToken() {
  show("disconnected");
  if (token) complain("That is not the token.");
  token = "";
  sessionStorage.removeItem("token");
  $("token-form").hidden = false;
  $("text-form").hidden = true;
  $("token").focus();
}

$("token-form").onsubmit = event => {
  event.preventDefault();
  token = $("token").value.trim();
  if (!token) return;
  sessionStorage.setItem("token", token); // until this tab is closed
  $("token").value = "";
  $("token-form").hidden = true;
  $("text-form").hidden = false;
  hideNotice();
  connect();
};

function base64url(text) {
  const bytes = String.fromCharCode(...new TextEncoder().encode(text));
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function send(message) {
  if (!socket || socket.readyState !== WebSocket.OPEN) return false;
  socket.send(JSON.stringify(message));
  return true;
}

function update(changes) {
  return send({type: "session.update", ...changes});
}

// --- what the service says

function received(message) {
  switch (message.type) {
    case "session.created":
    case "session.updated":
      session = message;
      showAbilities();
      break;
    case "state":
      if (message.state === "listening") answer = undefined; // it was heard to its end, or stopped
      show(message.state);
      break;
    case "input.speech.started":
      loudspeaker.stop();
      break;
    case "transcript":
      said(message);
      break;
    case "response.text.delta":
      stopWaiting();
      answer = reply ??= beginAnswer();
      reply.text += message.delta;
      reply.words.replaceChildren(...render(reply.text));
      follow();
      break;
    case "response.done":
      if (reply) finish(reply, message);
      reply = undefined;
      break;
    case "response.cancelled":
      loudspeaker.stop();
      stopWaiting();
      answer?.bubble.classList.add("cut");
      answer = reply = undefined;
      break;
    case "error":
      stopWaiting();
      reply = undefined;
      complain(WORDS[message.code]?.(message.message) ?? sentence(message.message));
      break;
  }
}

const WORDS = {
  no_speech: () => "No words were heard. Hold the button while you talk.",
  llm_unavailable: why => `Nobody can answer just now: ${why}.`,
  speech_unavailable: why => `This service does not listen or speak here: ${why}.`,
  internal_error: () => "The service made a mistake. Its log has more.",
};

function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1) + ".";
}

// --- what is seen

function show(state) {
  if (document.body.dataset.state !== state) {
    document.body.dataset.state = state;
    if (state === "thinking") beginWaiting();
    else stopWaiting();
  }
  const works = state === "thinking" || state === "speaking";
  const hadFocus = document.activeElement === $(works ? "send" : "stop");
  $("stop").hidden = !works;
  $("send").hidden = works;
  if (hadFocus) $(works ? "stop" : "send").focus();
  $("send").disabled = state === "disconnected" || state === "connecting";
  showAbilities();
}

function showAbilities() {
  const works = state => ["ok", "idle", "loading"].includes(state);
  const hears = works(session?.speech.stt);
  const speaks = works(session?.speech.tts);
  $("talk").disabled = !hears;
  $("hands-free").disabled = !hears;
  if (session && $("empty")) {
    $("invitation").textContent = hears ? "Say something." : "Write something.";
    $("how-to").hidden = !hears;
  }
  $("aloud").disabled = !speaks;
  const state = document.body.dataset.state;
  $("state-word").textContent = state === "listening" && !microphone.open ? "ready" : state;
  $("talk-hint").textContent = !session ? "Not connected" : !hears ? "This service can only read" :
    session.turns === "vad" && microphone.open ? "Just talk" : microphone.open ? "Let go to send" : "Hold to talk";
}

function showVoices(voices) {
  $("voice-place").hidden = voices.length < 2;
  const chosen = $("voice").value;
  const known = voices.filter(voice => /^(en|es)/.test(voice.language));
  $("voice").replaceChildren(
    new Option("Any voice", ""), ...known.map(voice => new Option(voice.name, voice.id)));
  if (chosen) $("voice").value = chosen;
}

const empty = $("empty");

function say(words, kind = "") {
  $("empty")?.remove();
  $("new").hidden = false;
  const bubble = document.createElement("article");
  bubble.className = kind;
  bubble.textContent = words;
  $("log").append(bubble);
  follow();
  return bubble;
}

function beginAnswer() {
  const bubble = say("");
  const words = document.createElement("div");
  words.className = "words";
  bubble.append(words);
  return {bubble, words, text: "", sounds: []};
}

function finish(done, {text, ms, by}) {
  const foot = document.createElement("footer");
  const where = {"groq-api": "Groq", "ollama-mcp": "this machine", identity: "Sandra", "small-model": "Sandra"};
  const who = [by?.model, where[by?.backend] ?? by?.backend].filter(Boolean).join(" · ");
  const isSmall = by?.model === "smollm2:135m" ? "a small model, its facts may be wrong" : "";
  const told = document.createElement("span");
  told.textContent = [who, `${(ms / 1000).toFixed(1)} s`, isSmall].filter(Boolean).join(" · ");
  foot.append(told, action("Copy", () => navigator.clipboard?.writeText(text)));
  if (done.sounds.length || $("aloud").checked && session?.speech.tts === "ok") {
    foot.append(action("Replay", () => {
      loudspeaker.stop();
      context.resume();
      done.sounds.forEach(sound => loudspeaker.play(sound));
    }));
  }
  done.bubble.append(foot);
  follow();
}

function action(name, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = name;
  button.onclick = act;
  return button;
}

// An answer takes seconds where a small machine makes it: that is to be seen.
function beginWaiting() {
  stopWaiting();
  const began = performance.now();
  const bubble = say("", "waiting");
  bubble.setAttribute("aria-label", "The answer is being thought about");
  const timer = setInterval(() => {
    const seconds = Math.floor((performance.now() - began) / 1000);
    if (seconds >= 3) bubble.textContent = `${seconds} s`;
  }, 250);
  waiting = {bubble, timer};
}

function stopWaiting() {
  if (!waiting) return;
  clearInterval(waiting.timer);
  waiting.bubble.remove();
  waiting = undefined;
}

function said({item, text, final}) {
  let bubble = items.get(item);
  if (!bubble) items.set(item, bubble = say("", "mine"));
  bubble.textContent = text;
  bubble.classList.toggle("unsure", !final);
  follow();
}

function note(words) {
  const line = document.createElement("p");
  line.className = "note";
  line.textContent = words;
  $("log").append(line);
  follow();
}

function follow() {
  $("log").scrollTop = $("log").scrollHeight;
}

new ResizeObserver(follow).observe($("log"));

function complain(words) {
  $("notice-words").textContent = words;
  $("notice").hidden = false;
}

function hideNotice() {
  $("notice").hidden = true;
}

// --- what the person does

$("text-form").onsubmit = event => {
  event.preventDefault();
  if (write($("text").value.trim())) $("text").value = "";
  grow();
};

function write(text) {
  if (!text || !send({type: "input.text", text})) return false;
  context.resume(); // browsers let a page sound only after something was done on it
  hideNotice();
  stopWaiting();
  say(text, "mine");
  return true;
}

function grow() {
  $("text").style.height = "auto";
  $("text").style.height = `${$("text").scrollHeight + 2}px`;
}

$("text").oninput = grow;
$("text").onkeydown = event => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("text-form").requestSubmit();
};
for (const example of document.querySelectorAll("#examples button")) example.onclick = () => write(example.textContent);
$("new").onclick = () => {
  isNew = Boolean(socket);
  socket?.close(1000);
};

function sendSound(pcm) {
  if (!socket || socket.readyState !== WebSocket.OPEN) return;
  if (socket.bufferedAmount > MOST_UNSENT) {
    releaseTalk();
    update({turns: "manual"});
    complain("The service does not keep up with the microphone.");
    return;
  }
  socket.send(pcm);
}

let pressedAt = 0; // while the button is held, or was tapped
let latched = false; // by a tap: until the next one
let ending; // the timer that ends a turn

async function pressTalk() {
  if ($("talk").disabled || $("hands-free").checked) return;
  if (latched) {
    latched = false;
    endTalk();
    return;
  }
  if (pressedAt) return;
  pressedAt = performance.now();
  clearTimeout(ending);
  hideNotice();
  loudspeaker.stop();
  try {
    await microphone.start();
  } catch (error) {
    releaseTalk();
    complain(error.message);
    return;
  }
  if (!pressedAt) { // let go while the browser was asking
    microphone.stop();
    return;
  }
  $("talk").setAttribute("aria-pressed", "true");
  showAbilities();
}

function letGo() {
  if (!pressedAt || latched) return;
  if (microphone.open && performance.now() - pressedAt < TAP) latched = true;
  else endTalk();
}

function endTalk() {
  const wasOpen = microphone.open;
  pressedAt = 0;
  $("talk").setAttribute("aria-pressed", "false");
  if (!wasOpen) return;
  clearTimeout(ending);
  ending = setTimeout(() => {
    microphone.stop();
    send({type: "input.audio.end"});
    showAbilities();
  }, LEFT_IN_THE_AIR);
}

function releaseTalk() {
  pressedAt = 0;
  latched = false;
  clearTimeout(ending);
  $("talk").setAttribute("aria-pressed", "false");
  if (microphone.open) microphone.stop();
  $("hands-free").checked = false;
  showAbilities();
}

$("talk").onpointerdown = event => {
  if (event.button !== 0) return;
  $("talk").setPointerCapture(event.pointerId);
  pressTalk();
};
$("talk").onpointerup = letGo;
$("talk").onpointercancel = letGo;
$("talk").oncontextmenu = event => event.preventDefault(); // a long touch
$("talk").onkeydown = event => {
  if ((event.key === " " || event.key === "Enter") && !event.repeat) pressTalk();
  if (event.key === " " || event.key === "Enter") event.preventDefault();
};
$("talk").onkeyup = event => {
  if (event.key === " " || event.key === "Enter") letGo();
};
$("talk").onblur = () => { if (pressedAt && !latched) endTalk(); };

$("hands-free").onchange = async () => {
  if (!$("hands-free").checked) {
    microphone.stop();
    update({turns: "manual"});
    return showAbilities();
  }
  hideNotice();
  update({turns: "vad"});
  try {
    await microphone.start();
  } catch (error) {
    releaseTalk();
    update({turns: "manual"});
    complain(error.message);
  }
  showAbilities();
};

$("stop").onclick = () => send({type: "response.cancel"});
$("aloud").onchange = () => {
  if (!$("aloud").checked) loudspeaker.stop();
  update({speak: $("aloud").checked});
};
$("language").onchange = () => update({language: $("language").value});
$("voice").onchange = () => update({voice: $("voice").value});
$("notice-close").onclick = hideNotice;
document.addEventListener("keydown", event => { if (event.key === "Escape") send({type: "response.cancel"}); });

connect();
