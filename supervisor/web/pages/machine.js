// All instances of this machine by their directories, and what ended runs have left.
import { html, useEffect, useState } from "./lib.js";
import { act } from "./orders.js";
import { ask, store } from "./store.js";
import { duration, plural, whose } from "./words.js";

const LOOK_EVERY = 2000; // ms

export function Machine() {
  const [told, set] = useState(null);
  useEffect(() => {
    let isOver = false;
    let timer = 0;
    const round = async () => {
      await ask("machine").then((answer) => !isOver && set(answer), (error) => !isOver && set({ error: error.told ? error.message : "The server of this page does not answer." }));
      if (!isOver) timer = setTimeout(round, document.hidden ? 10_000 : LOOK_EVERY);
    };
    round();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, []);
  if (!told) return html`<h1>Machine</h1>`;
  if (told.error) return html`<h1>Machine</h1><p class="fault">${told.error}</p>`;
  const left = told.left && told.left.processes.length + told.left.files.length + told.left.numbers.length;
  return html`
    <div class="bar"><h1>Machine</h1><span class="faint">${plural(told.instances.filter((each) => each.files.length).length, "instance")} running</span></div>
    <table class="instances"><thead><tr><th scope="col">Directory</th><th scope="col">Stack</th><th scope="col" class="number">Instance</th>
      <th scope="col">State</th><th scope="col" class="number">Process</th><th scope="col" class="number">Up</th></tr></thead>
      <tbody>${told.instances.map((each) => html`<tr key=${`${each.stack}/${each.instance}`}>
        <td data-label="Directory">${each.folder}</td>
        <th scope="row">${each.files.length ? html`<a href=${`#/overview?stack=${encodeURIComponent(`${each.stack}/${each.instance}`)}`}>${each.stack}</a>` : each.stack}</th>
        <td data-label="Instance" class="number">${each.instance}</td>
        <td data-label="State">${each.files.length ? html`<span class="state look-ready"><span class="shape" aria-hidden="true">●</span> running</span>`
          : html`<span class="state look-stopped"><span class="shape" aria-hidden="true">○</span> not running</span>`}</td>
        <td data-label="Process" class="number">${each.pid ?? ""}</td><td data-label="Up" class="number">${duration(each.uptime_s)}</td></tr>`)}</tbody></table>
    ${!told.instances.length && html`<p class="empty">Nothing runs, and no directory keeps a number.</p>`}
    <h2>Left by ended runs</h2>
    ${told.trouble && html`<p class="fault">${told.trouble}</p>`}
    ${told.left && html`${left ? html`<ul>
        ${told.left.processes.map((each) => html`<li key=${each.pid}>process ${each.pid} <code>${each.name}</code>${whose(each)}</li>`)}
        ${told.left.files.map((each) => html`<li key=${each.path}><code>${each.path}</code>: ${each.what}</li>`)}
        ${told.left.numbers.map((each) => html`<li key=${`${each.stack} ${each.folder}`}>number ${each.instance} of ${each.stack}, of a deleted directory: ${each.folder}</li>`)}
      </ul>` : html`<p>Nothing.</p>`}
      ${left > 0 && store.connection === "live" && !store.about.read_only && html`<p><button onClick=${() => act("prune")}>Clean up…</button></p>`}`}`;
}
