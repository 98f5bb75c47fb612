// All services: broken ones first, then in the order of the start.
import { Component, html, useEffect, useRef, useState } from "./lib.js";
import { useKeys } from "./keys.js";
import { act, note } from "./orders.js";
import { go, link } from "./route.js";
import { hasJustTurned } from "./steady.js";
import { cpuOf, isLive, isStopped, store } from "./store.js";
import { duration, percent, size } from "./words.js";

export function State({ row }) {
  return html`<span class=${`state look-${row.look}`} data-state=${row.state}>
    <span class="shape" aria-hidden="true">${row.shape}</span> ${since(row.word)}</span>`;
}

// A state as it is, or as it was when somebody still told of it.
export const since = (word) => (isLive() ? word : `was ${word}`);

// Counts on by itself, so that nothing else has to be drawn every second.
export class Uptime extends Component {
  componentDidMount() {
    this.timer = setInterval(() => this.setState({}), 1000);
  }

  componentWillUnmount() {
    clearInterval(this.timer);
  }

  render({ row }) {
    if (row.uptime_s == null) return "";
    return duration(row.uptime_s + (isLive() ? performance.now() / 1000 - row.readAt : 0));
  }
}

export function Spark({ values, words }) {
  const known = values.filter((value) => value != null);
  if (known.length < 2) return null;
  const most = Math.max(...known);
  const step = Math.max(1, Math.ceil(values.length / 60));
  const picked = values.filter((_, at) => at % step === 0 || at === values.length - 1);
  let pen = "M";
  const path = picked.map((value, at) => {
    if (value == null) {
      pen = "M";
      return "";
    }
    const point = `${pen}${((60 * at) / (picked.length - 1)).toFixed(1)},${(15 - (13 * value) / (most || 1)).toFixed(1)}`;
    pen = "L";
    return point;
  }).join("");
  return html`<svg class="spark" width="60" height="16" viewBox="0 0 60 16" role="img" aria-label=${words}>
    <path d=${path} /></svg>`;
}

class Row extends Component {
  shouldComponentUpdate(next) {
    return ["row", "use", "isChosen", "canAct", "isNow"].some((name) => next[name] !== this.props[name]);
  }

  render({ row, use, isChosen, canAct, choose, more }) {
    const isThere = !isStopped(row); // the last figures are of up to ten seconds ago
    const cpu = isThere && use ? cpuOf(use).at(-1) : null;
    const memory = isThere ? use?.memory.at(-1) : null;
    const pool = row.pool.length;
    return html`<tr class=${`look-${row.look}-row`} aria-selected=${isChosen} data-service=${row.name}
        onFocusCapture=${() => choose(row.name)} onClick=${() => choose(row.name)}>
      <td data-label="State"><${State} row=${row} /></td>
      <th scope="row"><a href=${link("service", {}, row.name)}>${row.name}</a></th>
      <td data-label="URL">${urlOf(row) && html`<a href=${urlOf(row)} target="_blank" rel="noreferrer">${urlOf(row).replace(/^https?:\/\//, "")}</a>`}</td>
      <td data-label="Port" class="number">${row.port ?? ""}${pool > 1 ? html` <span class="faint" title=${row.pool.map(portWords).join(", ")}>of ${pool}</span>` : ""}</td>
      <td data-label="Health">${row.health === "none" ? "" : row.health}</td>
      <td data-label="Why" class="why">${row.why}</td>
      <td data-label="CPU" class="number">${percent(cpu)}</td>
      <td data-label="Memory" class="number memory"><${Spark} values=${use?.memory || []} words=${`memory of ${row.name} in the last hour`} /> ${size(memory)}</td>
      <td data-label="Restarts" class="number">${row.restarts || ""}</td>
      <td data-label="Up" class="number"><${Uptime} row=${row} /></td>
      <td class="actions">
        ${canAct && html`${isStopped(row)
          ? html`<button onClick=${() => act("start", [row.name])} aria-label=${`Start ${row.name}`}>Start</button>`
          : html`<button onClick=${() => act("restart", [row.name])} aria-label=${`Restart ${row.name}`}>Restart</button>`}`}
        <button onClick=${() => more(row.name)} aria-haspopup="dialog" aria-label=${`More for ${row.name}`}>More</button>
      </td>
    </tr>`;
  }
}

const portWords = (port) => `${port.port} ${port.state}${port.holder ? `: ${port.holder}` : ""}`;

export function Overview() {
  const [chosen, setChosen] = useState("");
  const marked = useRef("");  // as `chosen`, and before it is drawn
  const choose = (name) => setChosen(marked.current = name);
  const [filter, setFilter] = useState("");
  const [menu, more] = useState("");
  const table = useRef(null);
  const rows = store.order.map((name) => store.rows[name]).filter((row) => row && fits(row, filter));
  useKeys((event) => keyOf(event, rows, marked.current, choose, table.current));
  const canAct = isLive() && !store.about.read_only;
  return html`
    <div class="bar">
      <h1>Services</h1>
      <${Counts} />
      <label>Filter <input data-filter type="search" value=${filter} onInput=${(e) => setFilter(e.target.value)}
        placeholder="name, state, port" /></label>
    </div>
    <table ref=${table} class="services">
      <thead><tr>
        <th scope="col">State</th><th scope="col">Name</th><th scope="col">URL</th><th scope="col" class="number">Port</th>
        <th scope="col">Health</th><th scope="col">Why</th><th scope="col" class="number">CPU</th><th scope="col" class="number">Memory</th>
        <th scope="col" class="number">Restarts</th><th scope="col" class="number">Up</th><th scope="col">Actions</th>
      </tr></thead>
      <tbody>${rows.map((row) => html`<${Row} key=${row.name} row=${row} use=${store.use[row.name]} canAct=${canAct}
        isChosen=${row.name === chosen} isNow=${isLive()} choose=${choose} more=${more} />`)}</tbody>
    </table>
    ${!rows.length && html`<p class="empty">${filter ? "No service fits the filter." : "No services are known yet."}</p>`}
    <${Menu} name=${menu} close=${() => more("")} canAct=${canAct} />`;
}

function Counts() {
  const count = {};
  for (const row of Object.values(store.rows)) count[row.look] = (count[row.look] || 0) + 1;
  if (!Object.keys(count).length) return null;
  const shapes = { failed: "✕", unhealthy: "▲", starting: "◐", ready: "●", idle: "◌", stopped: "○" };
  return html`<ul class="counts" aria-label="How many services are how">
    ${isLive() ? "" : html`<li>seen last:</li>`}
    ${Object.entries(shapes).filter(([look]) => count[look]).map(([look, shape]) => html`<li key=${look}
      class=${`look-${look}`}><span aria-hidden="true">${shape}</span> ${count[look]} ${look}</li>`)}
  </ul>`;
}

function fits(row, filter) {
  const text = `${row.name} ${row.state} ${row.word} ${row.port ?? ""} ${row.health} ${row.why}`.toLowerCase();
  return filter.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

function keyOf(event, rows, chosen, choose, table) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, dialog")) return;
  const at = rows.findIndex((row) => row.name === chosen);
  const row = rows[at];
  const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
  if (step) {
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + step))];
    if (!next) return;
    choose(next.name);
    table.querySelector(`tr[data-service="${CSS.escape(next.name)}"] a`)?.focus();
  } else if (!row) {
    return;
  } else if (event.key === "Enter" && !event.target.closest("button, .actions a, td a")) {
    go("logs", { services: row.name });
  } else if (!byKey(event.key, row)) {
    return;
  }
  event.preventDefault();
}

// Where a browser finds a service: by its name, if it has one.
const urlOf = (row) => row.name_url || row.url;

// What a key does to a service; whether it does anything.
export function byKey(key, row) {
  const canAct = isLive() && !store.about.read_only;
  if (key === "w") go("service", {}, row.name);
  else if (key === "o" && urlOf(row)) open(urlOf(row), "_blank", "noreferrer");
  else if (key === "y" && urlOf(row)) navigator.clipboard?.writeText(urlOf(row));
  else if (key === "s" && canAct && hasJustTurned(row.name)) note(`${row.name} has just become ${row.word}`, "s");
  else if (key === "s" && canAct) act(isStopped(row) ? "start" : "stop", [row.name]);
  else if (key === "r" && canAct) act("restart", [row.name]);
  else if (key === "R" && canAct) act("rotate", [row.name]);
  else return false;
  return true;
}

function Menu({ name, close, canAct }) {
  const dialog = useRef(null);
  const row = store.rows[name];
  const isThere = row !== undefined;
  useEffect(() => {
    if (isThere) dialog.current.showModal();
    else if (name) close(); // the stack has no such service any more
  }, [name, isThere]); // and not at each drawing: Escape closes it before we hear of that
  if (!row) return null;
  const isDown = isStopped(row);
  const does = (what) => () => {
    close();
    act(what, [name]);
  };
  const to = (screen, asked, of) => () => {
    close();
    go(screen, asked, of);
  };
  return html`<dialog ref=${dialog} onClose=${close} aria-labelledby="menu" class="menu">
    <h2 id="menu">${name}</h2>
    <button onClick=${to("logs", { services: name })}>Logs</button>
    <button onClick=${to("service", {}, name)}>Why, settings, environment</button>
    ${!store.about.read_only && html`
      <button onClick=${does("start")} disabled=${!canAct || !isDown}>Start</button>
      <button onClick=${does("restart")} disabled=${!canAct}>Restart</button>
      <button onClick=${does("rolling")} disabled=${!canAct || isDown}>Restart without a gap</button>
      <button onClick=${does("stop")} disabled=${!canAct || isDown}>Stop</button>
      ${row.pool.length > 1 && html`<button onClick=${does("rotate")} disabled=${!canAct || isDown}>Move to the next port</button>`}
      <button onClick=${does("kill")} disabled=${!canAct || isDown}>Kill (SIGKILL)</button>`}
    ${urlOf(row) && html`<button onClick=${() => navigator.clipboard?.writeText(urlOf(row))}>Copy the URL</button>`}
    <p class="buttons"><button onClick=${() => dialog.current.close()}>Close</button></p>
  </dialog>`;
}
