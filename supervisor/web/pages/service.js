// One service: why it is as it is, what it uses, whom it needs, what holds for it, and its environment.
import { Chart } from "./chart.js";
import { useKeys } from "./keys.js";
import { html, useEffect, useState } from "./lib.js";
import { act } from "./orders.js";
import { State, Uptime, byKey, since } from "./overview.js";
import { go, link } from "./route.js";
import { ask, cpuOf, inTurn, isLive, isStopped, onEvents, store } from "./store.js";
import { clock, size, tamed } from "./words.js";

// Asks again whenever something happens to the service `of`, or to the configuration, and when the stack is back.
function useAnswer(what, asked, of) {
  const [told, set] = useState(null);
  useEffect(() => {
    let isOver = false;
    const read = inTurn(() => ask(what, asked).then((answer) => !isOver && set(answer),
      (error) => !isOver && set((last) => (error.told || !last ? { error: error.message } : last))));
    read();
    const forget = onEvents((events) => events.some((each) => (of && each.service === of) || each.event === "reloaded") && read());
    return () => {
      isOver = true;
      forget();
    };
  }, [what, JSON.stringify(asked), store.key, store.ended?.at, store.lives]);
  return told;
}

export function Service({ route }) {
  const { name } = route;
  const row = store.rows[name];
  const why = useAnswer("why", { service: name }, name);
  const about = useAnswer("service", { service: name }, name);
  useKeys((event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, dialog")) return;
    if (row && byKey(event.key, row)) event.preventDefault();
  });
  if (!row) return html`<h1>${name}</h1><p class="empty">The stack has no such service${store.stack ? "" : ", or does not run"}.</p>`;
  return html`
    <div class="bar">
      <h1>${name}</h1> <${State} row=${row} />
      <${Buttons} row=${row} />
    </div>
    <dl class="facts">
      <${Fact} name="URL" value=${row.url && html`<a href=${row.url} target="_blank" rel="noreferrer">${row.url}</a>`} />
      <${Fact} name="By name" value=${row.name_url && html`<a href=${row.name_url} target="_blank" rel="noreferrer">${row.name_url}</a>`} />
      <${Fact} name="Process" value=${row.pid && html`${row.pid}, for <${Uptime} row=${row} />`} />
      <${Fact} name="Health" value=${row.health === "none" ? (row.checks_health ? "not asked yet" : "is not asked") : row.health} />
      <${Fact} name="Came as far as" value=${row.reached} />
      <${Fact} name="Restarts" value=${String(row.restarts)} />
      <${Fact} name="Last exit" value=${row.exit_code != null && `${row.exit_code} (${row.result})`} />
      <${Fact} name="Handoff" value=${row.handoff} />
      <${Fact} name="Says" value=${row.status_text} />
      <${Fact} name="Why" value=${row.why} />
    </dl>
    <${Why} row=${row} told=${why} />
    <${Replicas} row=${row} />
    <${Pool} row=${row} />
    <${Use} name=${name} />
    <${Graph} name=${name} />
    <${Settings} told=${about} />
    <${Environment} told=${about} />`;
}

function Buttons({ row }) {
  const does = (what) => () => act(what, [row.name]);
  const canAct = isLive() && !store.about.read_only;
  return html`<button onClick=${() => go("logs", { services: row.name })}>Logs</button>
    ${canAct && html`
      ${isStopped(row) ? html`<button onClick=${does("start")}>Start</button>` : html`<button onClick=${does("stop")}>Stop</button>`}
      <button onClick=${does("restart")}>Restart</button>
      ${!isStopped(row) && html`<button onClick=${does("rolling")}>Without a gap</button>`}
      ${!isStopped(row) && row.pool.length > 1 && html`<button onClick=${does("rotate")}>Next port</button>`}`}`;
}

function Fact({ name, value }) {
  return value ? html`<div><dt>${name}</dt><dd>${value}</dd></div>` : null;
}

function Why({ row, told }) {
  const { name } = row;
  if (!told) return null;
  if (told.error) return html`<h2>Why</h2><p>${told.error}</p>`;
  return html`<h2>Why</h2>
    ${!told.failures && html`<p>${row.is_fine ? "Nothing has gone wrong with it since the stack came up."
      : row.why ? `It is ${since(row.word)}: ${row.why}.` : `It is ${since(row.word)}.`}</p>`}
    ${told.failures > told.chapters.length && html`<p>It went wrong ${told.failures} times; these are the last of them.</p>`}
    ${told.advice.length > 0 && html`<div class="advice"><h3>What to do next</h3><ul>${told.advice.map((line) => html`<li key=${line}>${tamed(line)}</li>`)}</ul></div>`}
    ${told.chapters.map((chapter, at) => html`<h3 key=${`h${at}`}>Failure ${told.failures - told.chapters.length + at + 1}</h3>
      <${Story} key=${at} events=${chapter} name=${name} />`)}
    ${told.since.length > 0 && html`<h3>${told.failures ? "Since then" : "What happened"}</h3><${Story} events=${told.since} name=${name} />`}
    ${told.output.length > 0 && html`<h3>Its last output</h3>
      <pre tabindex="0" aria-label="Its last output">${told.output.map(tamed).join("\n")}</pre>`}`;
}

export function Story({ events, name }) {
  return html`<ol class="story">${events.map((each) => html`<li key=${`${each.time}${each.seq}`} class=${`level-${each.level}`}>
    <a href=${link("logs", { services: each.service || name || "", time: each.time })}><time title=${each.time}>${clock(each.time)}</time></a>
    ${each.sentence}</li>`)}</ol>`;
}

function Replicas({ row }) {
  if (!row.replicas) return null;
  return html`<h2>Replicas</h2><ul class="replicas">${row.replicas.map((each) => html`<li key=${each.name}>
    <a href=${link("logs", { services: each.name })}>${each.name}</a> ${since(each.state)}${each.pid ? `, pid ${each.pid}` : ""}, ${each.restarts} restarts${each.reason ? `: ${each.reason}` : ""}</li>`)}</ul>`;
}

function Pool({ row }) {
  if (!row.pool.length) return null;
  return html`<h2>Pool</h2><ul class="pool">${row.pool.map((port) => html`<li key=${port.port} class=${`port-${port.state}`}>
    <a href=${link("ports", { port: port.port })}>${port.port}</a> ${since(port.state)}${port.holder ? `: ${port.holder}` : ""}</li>`)}</ul>`;
}

function Use({ name }) {
  const use = store.use[name];
  if (!use || use.memory.filter((each) => each != null).length < 2) return null;
  return html`<h2>Use of the machine</h2><div class="charts">
    <${Chart} title=${`Processor of ${name}, in percent of one`} times=${use.times} values=${cpuOf(use)} words=${(v) => `${v.toFixed(1)} %`} />
    <${Chart} title=${`Memory of ${name}`} times=${use.times} values=${use.memory} words=${size} /></div>`;
}

function Graph({ name }) {
  const told = useAnswer("graph", { service: name }, null);
  if (!told || told.error || told.boxes.length < 2) return null;
  return html`<h2>Who needs whom</h2>
    <div class="graph" tabindex="0" role="region" aria-label="Graph of dependencies"><svg width=${told.width} height=${told.height}
      viewBox=${`0 0 ${told.width} ${told.height}`} role="group" aria-label="Services, each to the right of what it needs">
      ${told.arrows.map((each) => html`<g key=${`${each.begin} ${each.end}`} class="arrow"><path d=${each.path}><title>${each.end} needs ${each.begin}: ${each.label}</title></path>
        <path class="head" d=${each.head} /></g>`)}
      ${told.boxes.map((each) => {
        const row = store.rows[each.name];
        return html`<a key=${each.name} href=${link("service", {}, each.name)} aria-label=${`${full(each)}: ${row?.word || "not known"}`}>
          <g class=${`box look-${row?.look || "stopped"} ${each.name === name ? "is-own" : ""}`}>
            <rect x=${each.x} y=${each.y} width=${each.width} height=${each.height} rx="6" />
            <text x=${each.x + 10} y=${each.y + 20}>${row?.shape || "○"} ${each.label}</text></g></a>`;
      })}
    </svg></div>`;
}

// A name that is cut in its box; what is read out begins with what is there to see.
const full = ({ name, label }) => (label === name ? name : `${label} ${name}`);

function Settings({ told }) {
  if (!told?.settings) return null;
  const fault = told.mistake;
  return html`<h2>Settings</h2>
    ${fault && html`<p class="fault">${[[fault.what, fault.why].filter(Boolean).join(": "), ...fault.problems].join("\n")}</p>`}
    ${told.settings.length > 0 && html`<table class="settings"><thead><tr><th scope="col">Key</th><th scope="col">Value</th><th scope="col">Where</th></tr></thead>
      <tbody>${told.settings.map((each) => html`<tr key=${each.key}><th scope="row">${each.key}</th>
        <td><code>${typeof each.value === "string" ? each.value : JSON.stringify(each.value)}</code></td>
        <td class="faint">${each.line ? `${each.file}:${each.line}` : "default"}</td></tr>`)}</tbody></table>`}`;
}

function Environment({ told }) {
  if (!told?.environment?.length) return null;
  return html`<h2>Environment</h2><p class="faint">Secrets are hidden.</p>
    <table class="settings"><thead><tr><th scope="col">Variable</th><th scope="col">Value</th></tr></thead>
      <tbody>${told.environment.map((each) => html`<tr key=${each.name}><th scope="row">${each.name}</th>
        <td><code>${each.value}</code></td></tr>`)}</tbody></table>`;
}
