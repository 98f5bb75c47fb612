// The keys, as in the terminal view.
import { html, useEffect, useRef, useState } from "./lib.js";
import { order, store } from "./store.js";

const KEYS = [
  ["j k ↑ ↓", "choose a service"],
  ["Enter", "its logs"],
  ["w", "why it is as it is, and all about it"],
  ["s", "start or stop it"],
  ["r", "restart it"],
  ["R", "move it to the next port of its pool"],
  ["o", "open it in the browser"],
  ["y", "copy its URL"],
  ["/", "filter"],
  ["f", "logs: follow, or stop following"],
  ["n N", "logs: next and previous match"],
  ["S", "logs: since the last restart"],
  ["v l p t m", "Overview, Logs, Ports, Timeline, Machine"],
  ["?", "this help"],
];

let show = () => {};

export function Help() {
  const dialog = useRef(null);
  const [made, setMade] = useState("");
  useEffect(() => {
    show = () => {
      setMade("");
      dialog.current?.showModal();
    };
  }, []);
  const makeLink = async () => {
    try {
      for await (const told of order("link")) setMade(told.link);
    } catch (error) {
      setMade(error.message);
    }
  };
  return html`<dialog ref=${dialog} aria-labelledby="keys">
    <h2 id="keys">Keys</h2>
    <dl class="keys">${KEYS.map(([key, words]) => html`<div key=${key}><dt><kbd>${key}</kbd></dt><dd>${words}</dd></div>`)}</dl>
    ${!store.about.read_only && html`<p><button onClick=${makeLink}>Make a link for another browser</button></p>`}
    ${made && html`<p class="made"><code>${made}</code></p>`}
    <p class="buttons"><button onClick=${() => dialog.current.close()}>Close</button></p>
  </dialog>`;
}

Help.open = () => show();
