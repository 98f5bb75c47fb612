// What is known of the stack, kept up to date by the stream; and the way to ask and to order.
import { turns } from "./steady.js";

const LOST_AFTER = 850; // ms without a sign of life
const WATCH_EVERY = 100; // ms
const AGAIN_AFTER = 400; // ms until the next attempt
const KEPT = 360; // moments of use: an hour
const PAUSE = 100; // ms between two answers to the same question

export class Refused extends Error {
  constructor(told, status) {
    super([told.what, told.why].filter(Boolean).join(": "));
    this.told = told;
    this.status = status;
  }
}

export const store = {
  about: { read_only: false },
  connection: "connecting", // connecting, live, lost, out (not logged in)
  lives: 0, // how often it has become live
  lostAt: null,
  ended: null,
  stack: "",
  instance: 0,
  folder: "",
  order: [],
  rows: {},
  needs: {},
  warnings: [],
  events: [],
  use: {}, // by service { times, cpu, memory } of the last hour
  key: "", // of another stack than our own
};

const listeners = new Set();
const forEvents = new Set();

export function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function onEvents(listener) {
  forEvents.add(listener);
  return () => forEvents.delete(listener);
}

// Reads one after the other, so that none that is late takes the place of a newer one: what is asked for meanwhile is
// read once, after a pause. `read` must not fail.
export function inTurn(read) {
  let isReading = false;
  let isDue = false;
  return async () => {
    isDue = true;
    if (isReading) return;
    isReading = true;
    while (isDue) {
      isDue = false;
      await read();
      await new Promise((go) => setTimeout(go, PAUSE));
    }
    isReading = false;
  };
}

let isDue = false;
export function changed() {
  if (isDue) return;
  isDue = true;
  // One drawing for all that comes in a moment; a hidden page gets no frames, and has to stay right all the same.
  const draw = () => {
    isDue = false;
    for (const listener of [...listeners]) listener();
  };
  if (document.hidden) setTimeout(draw, 50);
  else requestAnimationFrame(draw);
}

const headers = () => ({ "X-Portsup-Key": localStorage.getItem("portsup-key") || "" });
const withStack = (asked) => new URLSearchParams({ ...(store.key ? { stack: store.key } : {}), ...asked });

async function complain(answer) {
  const told = await answer.json().catch(() => ({}));
  if (answer.status === 401) {
    store.connection = "out";
    changed();
  }
  throw new Refused(told.error || { what: `the server answers ${answer.status}` }, answer.status);
}

export async function ask(what, asked = {}) {
  const answer = await fetch(`/api/${what}?${withStack(asked)}`, { headers: headers() });
  if (!answer.ok) await complain(answer);
  return answer.json();
}

// The steps of an order, as they come.
export async function* order(what, given = {}) {
  const answer = await fetch(what === "link" ? "/api/link" : "/api/do", {
    method: "POST",
    headers: { ...headers(), "Content-Type": "application/json" },
    body: JSON.stringify({ ...(store.key ? { stack: store.key } : {}), do: what, ...given }),
  });
  if (!answer.ok) await complain(answer);
  for await (const line of pieces(answer, "\n")) yield JSON.parse(line);
}

async function* pieces(answer, end) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    const parts = (rest + value).split(end);
    rest = parts.pop();
    for (const part of parts) if (part) yield part;
  }
  if (rest.trim()) yield rest;
}

let lastSign = 0;
let streaming = null;

export async function follow() {
  setInterval(watch, WATCH_EVERY);
  addEventListener("offline", () => {
    lose();
    streaming?.abort(); // and try again: without any network, this machine itself can be there all the same
  });
  addEventListener("online", () => streaming?.abort());
  for (;;) {
    streaming = new AbortController();
    lastSign = performance.now();
    try {
      await listen(streaming.signal);
    } catch (error) {
      if (error instanceof Refused && error.status !== 401) store.refused = error.message;
    } finally {
      streaming.abort(); // whatever was wrong with it, nobody reads on
    }
    if (store.connection === "out") {
      addEventListener("storage", (event) => event.key === "portsup-key" && location.reload()); // logged in by another window
      return;
    }
    lose();
    await new Promise((go) => setTimeout(go, AGAIN_AFTER));
  }
}

// Another stack is asked for: that the server is silent until then means nothing.
export function restart() {
  if (store.connection !== "out") store.connection = "connecting";
  streaming?.abort();
}

async function listen(signal) {
  const answer = await fetch(`/api/stream?${withStack({})}`, { headers: headers(), signal });
  if (!answer.ok) await complain(answer);
  store.about = await ask("about");
  store.refused = "";
  for await (const piece of pieces(answer, "\n\n")) {
    if (signal.aborted) return;
    lastSign = performance.now();
    if (!piece.startsWith("data: ")) continue;
    if (store.connection !== "live") {
      store.connection = "live";
      store.lives += 1;
      store.lostAt = null;
      changed();
    }
    const told = JSON.parse(piece.slice(6));
    if (told) take(told);
  }
}

function watch() {
  if (store.connection === "live" && performance.now() - lastSign > LOST_AFTER) {
    lose();
    streaming?.abort(); // it may hang for long
  }
}

function lose() {
  if (store.connection !== "live") return;
  store.connection = "lost";
  store.lostAt = Date.now() / 1000;
  changed();
}

function take(told) {
  const now = performance.now() / 1000;
  for (const row of Object.values(told.rows || {})) {
    row.readAt = now;
    const known = store.rows[row.name];
    if (known && isStopped(known) !== isStopped(row)) turns(row.name);
  }
  if (told.full) {
    const { stack, instance } = store;
    for (const name of ["order", "needs", "folder", "warnings", "ended"]) store[name] = told[name];
    // What has ended keeps its last picture, also in a page whose server was started again meanwhile.
    if (!told.ended || Object.keys(told.rows).length || !stack) store.rows = told.rows;
    else store.order = Object.keys(store.rows);
    store.stack = told.stack || stack;
    store.instance = told.instance || instance;
    if (!told.ended) readUse();
  } else {
    if (told.rows) store.rows = { ...store.rows, ...told.rows };
    for (const name of told.removed || []) delete store.rows[name];
    for (const name of ["order", "needs"]) if (told[name]) store[name] = told[name];
  }
  if (told.usage) addUse(told.usage);
  if (told.events?.length) {
    store.events = [...store.events, ...told.events].slice(-500);
    for (const listener of [...forEvents]) listener(told.events);
  }
  changed();
}

async function readUse() {
  const { key } = store;
  try {
    const told = await ask("trend");
    if (key !== store.key) return;
    store.use = {};
    addUse(told);
    changed();
  } catch {
    // it has just ended: the stream says so
  }
}

function addUse(told) {
  for (const [name, load] of Object.entries(told.services)) {
    const known = store.use[name] || { times: [], cpu_s: [], memory: [] };
    const newer = told.times.map((time, at) => [time, at]).filter(([time]) => time > (known.times.at(-1) ?? 0));
    store.use[name] = {
      times: [...known.times, ...newer.map(([time]) => time)].slice(-KEPT),
      cpu_s: [...known.cpu_s, ...newer.map(([, at]) => load.cpu_s[at])].slice(-KEPT),
      memory: [...known.memory, ...newer.map(([, at]) => load.memory[at])].slice(-KEPT),
    };
  }
}

// Percent of one processor between two moments; null where it was not there for both.
export function cpuOf(use) {
  return use.times.map((time, at) => {
    const before = at > 0 ? use.cpu_s[at - 1] : null;
    if (before == null || use.cpu_s[at] == null || use.cpu_s[at] < before) return null;
    return (100 * (use.cpu_s[at] - before)) / (time - use.times[at - 1]);
  });
}

// Whoever needs one of these and runs, by others too.
export function neededBy(names) {
  const found = new Set();
  const waiting = [...names];
  while (waiting.length) {
    const need = waiting.pop();
    for (const [name, its] of Object.entries(store.needs)) {
      if (its.includes(need) && !found.has(name) && !names.includes(name)) {
        found.add(name);
        waiting.push(name);
      }
    }
  }
  return [...found].filter((name) => store.rows[name]?.pid != null);
}

const STOPPED = ["stopped", "exited", "failed", "idle"];
export const isStopped = (row) => STOPPED.includes(row.state) && row.pid == null;

export const isLive = () => store.connection === "live" && !store.ended;
