// What happened, a lane for each service; and the last start, phase by phase.
import { html, useEffect, useState } from "./lib.js";
import { go, link } from "./route.js";
import { Story } from "./service.js";
import { ask, inTurn, onEvents, store } from "./store.js";
import { clock, plural, seconds } from "./words.js";

const SPANS = { start: "since the stack came up", 300: "5 minutes", 3600: "1 hour", 86400: "1 day", all: "all there is" };
const PHASES = ["port", "waited", "spawn", "listening", "ready"];
const AGAIN_AFTER = 1000; // ms until the next attempt
const MOST = 120; // marks of a lane: more than that cannot be told apart

export function Timeline() {
  const [events, set] = useState([]);
  const [span, setSpan] = useState("start");
  const [chosen, choose] = useState(null);
  const [words, say] = useState("");
  useEffect(() => {
    let cursor = "";
    let isOver = false;
    let timer = 0;
    const read = inTurn(async () => {
      clearTimeout(timer);
      try {
        const told = await ask("events", { cursor });
        if (isOver) return;
        const isMore = cursor && told.events.length > 0; // of very many only the first come at a time
        cursor = told.cursor;
        if (told.events.length) set((known) => [...known, ...told.events].slice(-4000));
        say("");
        if (isMore) read();
      } catch (error) {
        if (isOver) return;
        say(error.message);
        timer = setTimeout(read, AGAIN_AFTER);
      }
    });
    read();
    const forget = onEvents(read);
    return () => {
      isOver = true;
      clearTimeout(timer);
      forget();
    };
  }, []);
  const now = Date.now();
  const times = events.map((each) => Date.parse(each.time));
  const begin = beginOf(span, events, times, now);
  const seen = events.filter((_, at) => times[at] >= begin);
  const lanes = Map.groupBy ? Map.groupBy(seen, (each) => each.service || "") : grouped(seen);
  const names = [...lanes.keys()].sort((a, b) => place(a) - place(b));
  const listed = seen.filter((each) => chosen === null || (each.service || "") === chosen).slice(-200).reverse();
  return html`
    <div class="bar"><h1>Timeline</h1>
      <label>Show <select value=${span} onChange=${(event) => setSpan(event.target.value)}>
        ${Object.entries(SPANS).map(([value, name]) => html`<option key=${value} value=${value}>${name}</option>`)}</select></label>
      <span class="faint" role="status">${words || `${plural(seen.length, "event")} since ${clock(begin / 1000)}`}</span></div>
    <${Start} />
    <h2>Events</h2>
    <div class="lanes">${names.map((name) => html`<${Lane} key=${name} name=${name} events=${lanes.get(name)} begin=${begin} end=${now}
      isChosen=${name === chosen} choose=${() => choose(name === chosen ? null : name)} />`)}</div>
    <${Listed} events=${listed} />`;
}

function beginOf(span, events, times, now) {
  if (Number(span)) return now - span * 1000;
  const last = span === "start" ? events.findLastIndex((each) => each.event === "instance starts") : 0;
  return Math.min(now - 1000, times[Math.max(0, last)] ?? now);
}

const place = (name) => (store.order.includes(name) ? store.order.indexOf(name) : -1);

function grouped(events) {
  const lanes = new Map();
  for (const each of events) {
    const name = each.service || "";
    if (!lanes.has(name)) lanes.set(name, []);
    lanes.get(name).push(each);
  }
  return lanes;
}

function Lane({ name: service, events, begin, end, isChosen, choose }) {
  const name = service || "portsup"; // what is about no service
  const x = (each) => (1000 * (Date.parse(each.time) - begin)) / Math.max(1, end - begin);
  const worst = events.filter((each) => each.level !== "info");
  const shown = events.length > MOST ? [...worst.slice(-MOST / 2), ...events.slice(-MOST / 2)] : events;
  return html`<div class="lane">
    <button aria-pressed=${isChosen} onClick=${choose}>${name}</button>
    <svg viewBox="0 0 1000 24" preserveAspectRatio="none" role="img" aria-label=${`${events.length} events of ${name}, ${worst.length} of them warnings or errors`}>
      <line x1="0" x2="1000" y1="12" y2="12" />
      ${shown.map((each) => html`<rect key=${`${each.time}${each.seq}`} class=${`mark level-${each.level} ${each.state ? `state-${each.state}` : ""}`}
        x=${Math.min(995, Math.max(0, x(each) - 2))} y=${each.level === "info" ? 7 : 3} width="5" height=${each.level === "info" ? 10 : 18}
        onClick=${() => go("logs", { services: each.service || "", time: each.time })}><title>${clock(each.time)} ${name} ${each.sentence}</title></rect>`)}
    </svg></div>`;
}

function Listed({ events }) {
  return html`<${Story} events=${events.map((each) => ({ ...each, sentence: `${each.service || "portsup"} ${each.sentence}` }))} />`;
}

function Start() {
  const [told, set] = useState(null);
  useEffect(() => {
    ask("timings").then(set, () => set({ rows: [] }));
  }, [store.ended?.at, store.stack]);
  if (!told?.rows.length) return null;
  const most = Math.max(0.001, ...told.rows.map((row) => row.settled ?? 0));
  return html`<h2>The last start</h2>
    <table class="gantt"><thead><tr><th scope="col">Service</th><th scope="col">When</th><th scope="col" class="number">Ready at</th><th scope="col">After</th></tr></thead>
      <tbody>${told.rows.map((row) => html`<tr key=${row.name} class=${row.critical ? "is-critical" : ""}>
        <th scope="row"><a href=${link("logs", { services: row.name })}>${row.name}</a></th>
        <td><${Bar} row=${row} most=${most} /></td>
        <td class="number">${seconds(row.settled)}${row.outcome === "ready" ? "" : ` ${row.outcome || "not ready"}`}</td>
        <td>${row.after}</td></tr>`)}</tbody></table>
    <ul class="counts" aria-label="What the colours mean">${PHASES.map((name) => html`<li key=${name}><svg width="12" height="12" aria-hidden="true"><rect class=${`phase-${name}`} width="12" height="12" /></svg> ${MEANING[name]}</li>`)}</ul>`;
}

// As in supervisor/words/pictures.py.
const MEANING = { port: "looks for a port", waited: "waits for its turn", spawn: "is started", listening: "starts to listen", ready: "becomes ready" };

function Bar({ row, most }) {
  let at = row.begin ?? 0;
  const parts = PHASES.map((name) => {
    const part = { name, from: at, took: row.phases[name] ?? 0 };
    at += part.took;
    return part;
  });
  const told = parts.filter((part) => part.took > 0).map((part) => `${MEANING[part.name]} for ${seconds(part.took)}`).join(", ");
  return html`<svg class="gantt-bar" viewBox="0 0 1000 16" preserveAspectRatio="none" role="img" aria-label=${told || "no times are known"}>
    ${parts.map((part) => part.took > 0 && html`<rect key=${part.name} class=${`phase-${part.name}`} x=${(1000 * part.from) / most}
      width=${Math.max(2, (1000 * part.took) / most)} y="1" height="14"><title>${MEANING[part.name]}: ${seconds(part.took)}</title></rect>`)}</svg>`;
}
