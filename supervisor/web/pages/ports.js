// The pools, cell by cell: who has which port, and what became of it.
import { html, useEffect, useState } from "./lib.js";
import { since } from "./overview.js";
import { link } from "./route.js";
import { Story } from "./service.js";
import { ask, inTurn, onEvents, store } from "./store.js";

const SHAPES = { active: "●", spare: "○", taken: "✕", quarantined: "▲" };

export function Ports({ route }) {
  const chosen = Number(route.asked.port) || 0;
  const others = useOthers();
  const rows = store.order.map((name) => store.rows[name]).filter((row) => row?.pool.length).sort(byPort);
  return html`
    <div class="bar"><h1>Ports</h1>
      <ul class="counts" aria-label="What the shapes mean">${Object.entries(SHAPES).map(([state, shape]) => html`<li key=${state} class=${`port-${state}`}>
        <span aria-hidden="true">${shape}</span> ${state}</li>`)}</ul></div>
    ${!rows.length && html`<p class="empty">No service has a pool of ports.</p>`}
    <table class="pools"><thead><tr><th scope="col">Service</th><th scope="col">Ports of its pool</th></tr></thead>
      <tbody>${rows.map((row) => html`<tr key=${row.name}><th scope="row"><a href=${link("service", {}, row.name)}>${row.name}</a></th>
        <td><${Cells} row=${row} chosen=${chosen} to=${(port) => link("ports", { port })} /></td></tr>`)}</tbody></table>
    ${others.map((each) => html`<section key=${`${each.stack}/${each.instance}`}><h2>${each.stack}, instance ${each.instance} <span class="faint">${each.folder}</span></h2>
      <table class="pools"><thead><tr><th scope="col">Service</th><th scope="col">Ports of its pool</th></tr></thead>
        <tbody>${each.services.map((row) => html`<tr key=${row.name}><th scope="row">${row.name}</th>
          <td><${Cells} row=${row} isOther to=${(port) => `#/ports?${new URLSearchParams({ stack: `${each.stack}/${each.instance}`, port })}`} /></td></tr>`)}</tbody></table></section>`)}
    ${chosen > 0 && html`<${History} port=${chosen} key=${chosen} />`}`;
}

const byPort = (a, b) => a.pool[0].port - b.pool[0].port;

// The pools of the other instances that run.
function useOthers() {
  const [told, set] = useState([]);
  useEffect(() => {
    let isOver = false;
    let timer = 0;
    const round = async () => {
      await ask("pools").then((answer) => !isOver && set(answer.instances), () => {});
      if (!isOver) timer = setTimeout(round, document.hidden ? 20_000 : 3000);
    };
    round();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [store.key]);
  return told.filter((each) => each.stack !== store.stack || each.instance !== store.instance);
}

function Cells({ row, chosen, to, isOther }) {
  return html`<ul class="cells">${row.pool.map((port) => html`<li key=${port.port}>
    <a class=${`cell port-${port.state}`} href=${to(port.port)} aria-current=${port.port === chosen ? "true" : null}>
      <span aria-hidden="true">${SHAPES[port.state]}</span> ${port.port} <span class="who">${who(port, row, isOther)}</span></a></li>`)}</ul>`;
}

function who(port, row, isOther) {
  const state = isOther ? port.state : since(port.state);
  if (port.state === "active") return row.pid ? `${state}, pid ${row.pid}` : state;
  return port.holder ? `${state}: ${port.holder}` : state;
}

function History({ port }) {
  const [told, set] = useState(null);
  useEffect(() => {
    let isOver = false;
    const read = inTurn(() => ask("port", { port }).then((answer) => !isOver && set(answer), (error) => !isOver && set({ error: error.message })));
    read();
    const forget = onEvents((events) => events.some((each) => each.port === port || each.skipped) && read());
    return () => {
      isOver = true;
      forget();
    };
  }, []);
  return html`<h2>What became of port ${port}</h2>
    ${told?.error && html`<p>${told.error}</p>`}
    ${told?.events && (told.events.length ? html`<${Named} events=${told.events} />` : html`<p class="empty">The journal has nothing about it.</p>`)}`;
}

const Named = ({ events }) => html`<${Story} events=${events.map((each) => ({ ...each, sentence: `${each.service || "portsup"} ${each.sentence}` }))} />`;
