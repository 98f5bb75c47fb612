// The frame of the page: where one is, what holds for the whole stack, and the keys that work everywhere.
import { html, render, useEffect, useLayoutEffect, useState } from "./lib.js";
import { Machine } from "./machine.js";
import { Jobs, Question, act, note } from "./orders.js";
import { Overview } from "./overview.js";
import { Logs } from "./logs.js";
import { Ports } from "./ports.js";
import { Help } from "./help.js";
import { SCREENS, current, go, link } from "./route.js";
import { Service } from "./service.js";
import { remember, steady } from "./steady.js";
import { changed, follow, isLive, restart, store, subscribe } from "./store.js";
import { Timeline } from "./timeline.js";
import { moment, plural } from "./words.js";

const PAGES = { overview: Overview, logs: Logs, ports: Ports, timeline: Timeline, machine: Machine, service: Service };

function useStore() {
  const [, again] = useState(0);
  useEffect(() => subscribe(() => again((n) => n + 1)), []);
}

// Browsers take the focus from what is put elsewhere, as a row that comes to the top.
function useFocus() {
  const had = document.activeElement;
  useLayoutEffect(() => {
    if (had !== document.activeElement && document.activeElement === document.body && had.isConnected) {
      had.focus({ preventScroll: true });
    }
  });
}

function Page() {
  useStore();
  useFocus();
  const route = current();
  if (store.connection === "out") return html`<${Out} />`;
  const Screen = PAGES[route.screen];
  const isStale = !isLive() && store.stack !== "";
  return html`
    <a class="skip" href="#content" onClick=${skip}>Skip to the content</a>
    <header>
      <p class="brand"><strong>portsup</strong> <span>${store.stack ? `${store.stack} ${store.instance}` : ""}</span></p>
      <nav aria-label="Screens">
        ${Object.entries(SCREENS).map(([screen, name]) => html`<a key=${screen} href=${link(screen)}
          aria-current=${route.screen === screen ? "page" : null}>${name}</a>`)}
      </nav>
      <p class="tools">
        <${StackTools} />
        <button class="quiet" onClick=${() => Help.open()} aria-label="Keys and help">?</button>
      </p>
    </header>
    <${Banner} />
    <main id="content" tabindex="-1" class=${isStale && route.screen !== "machine" ? "stale" : ""}>
      <${Screen} route=${route} key=${`${route.screen} ${route.name || ""} ${store.key}`} />
    </main>
    <${Jobs} />
    <${Question} />
    <${Help} />`;
}

const skip = (event) => {
  event.preventDefault();
  document.getElementById("content").focus();
};

function StackTools() {
  if (store.about.read_only) return html`<span class="tag">read only</span>`;
  if (!isLive()) return null;
  return html`<button onClick=${() => act("reload")}>Reload…</button>
    <button onClick=${() => act("down")}>Stop all…</button>`;
}

function Banner() {
  const words = [];
  let end = null;
  if (store.refused) words.push(store.refused);
  if (store.connection === "connecting") words.push("Connecting …");
  if (store.connection === "lost") {
    words.push(`The server of this page does not answer since ${moment(store.lostAt)}. What you see is older. `
      + "It comes back by itself; if it was ended, run portsup web again.");
  } else if (store.ended) {
    const seen = store.stack ? ` What you see is of before ${moment(store.ended.at)}.` : "";
    words.push(`${store.ended.sentence}${seen}`);
    end = !store.about.read_only && html` <button onClick=${() => act("up")}>Start the stack</button>`;
  }
  for (const warning of store.warnings) words.push(`Warning: ${warning}`);
  return html`<div role="status" class=${`banner ${isLive() ? "" : "is-stale"}`}>
    ${words.map((each) => html`<p key=${each}>${each}</p>`)}${end}
  </div>`;
}

function Out() {
  return html`<main class="enter">
    <h1>portsup</h1>
    <p role="status">You are not logged in.</p>
    <p>Run <code>portsup web</code> in the directory of your stack, and open the link that it prints.</p>
  </main>`;
}

const KEYS = { p: "ports", t: "timeline", m: "machine", l: "logs", v: "overview" };

function onKey(event) {
  const isTyping = event.target.closest("input, select, textarea, dialog");
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
  if (event.key === "?") Help.open();
  else if (KEYS[event.key]) go(KEYS[event.key]);
  else if (event.key === "/") document.querySelector("[data-filter]")?.focus();
  else return;
  event.preventDefault();
}

let shape = "";

function noticeMoves() {
  const { connection, ended, refused, warnings, order, rows } = store;
  const seen = Object.values(rows).map((row) => [row.name, row.word, row.why, row.port, row.url, row.health]);
  const now = JSON.stringify([connection, ended, refused, warnings, order, seen]);
  if (now === shape) return;
  shape = now;
  remember();
}

function title() {
  const rows = Object.values(store.rows);
  const broken = rows.filter((row) => row.look === "failed" || row.look === "unhealthy").length;
  const state = !isLive() ? "not running" : broken ? `${broken} broken` : plural(rows.length, "service");
  document.title = store.stack ? `${store.stack}: ${state}` : "portsup";
}

function moved() {
  const key = current().asked.stack || "";
  if (key !== store.key) {
    Object.assign(store, { key, rows: {}, order: [], events: [], use: {}, warnings: [], stack: "", ended: null });
    restart();
  }
  changed();
}

addEventListener("keydown", onKey);
addEventListener("hashchange", moved);
steady((meant) => note("Something else has just come under the pointer", `“${meant}”`));
subscribe(noticeMoves); // before the drawing
subscribe(title);
moved();
render(html`<${Page} />`, document.getElementById("page"));
follow();
