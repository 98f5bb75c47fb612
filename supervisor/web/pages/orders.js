// Orders to the stack: asked back where others would lose what they need, told step by step, and "done" only when done.
import { html, useEffect, useRef, useState } from "./lib.js";
import { changed, neededBy, order, store } from "./store.js";
import { whose } from "./words.js";

export const running = []; // { id, title, words, state: "working" | "done" | "failed", lines }
let count = 0;
const questions = []; // one at a time: none takes the place of another that somebody reads

export const NAMES = {
  start: "Start", stop: "Stop", restart: "Restart", rolling: "Restart without a gap", rotate: "Next port",
  kill: "Kill (SIGKILL)", reload: "Reload", down: "Stop everything", up: "Start the stack", prune: "Clean up",
};

export function act(what, services = []) {
  if (store.about.read_only) return undefined;
  if (what === "reload") return reload();
  if (what === "prune") return prune();
  const left = what === "stop" || what === "kill" ? neededBy(services) : [];
  if (what === "down") {
    const all = Object.values(store.rows).filter((row) => row.pid != null).map((row) => row.name);
    return confirm("Stop everything?", `The instance ends, and with it: ${all.join(", ") || "nothing runs"}.`, NAMES.down,
      () => carryOut(what, {}, "the stack"));
  }
  if (left.length && what === "stop") {
    return confirm(`Stop ${services.join(", ")}?`, `Others need it: ${left.join(", ")}.`, "Stop it all the same",
      () => carryOut(what, { services }, services.join(", ")));
  }
  return carryOut(what, services.length ? { services } : {}, services.join(", ") || "the stack");
}

function confirm(title, words, yes, then) {
  const asking = { id: (count += 1), title, words, yes, then };
  questions.push(asking);
  changed();
  return asking;
}

// Says that a press had no effect, because something has moved or turned under it.
export function note(title, pressed) {
  const job = { id: (count += 1), title, words: `nothing was done: press ${pressed} again if you still want it`,
    state: "failed", lines: {} };
  running.push(job);
  changed();
  setTimeout(() => dismiss(job), 8000);
}

async function reload() {
  await carryOut("reload", { dry_run: true }, "services.yaml", (steps) => {
    const found = steps.find((step) => step.difference)?.difference;
    const lines = found ? differences(found) : [];
    if (!lines.length) return "nothing has changed";
    confirm("Apply these changes?", "", "Reload", () => carryOut("reload", {}, "services.yaml")).lines = lines;
    return ""; // the question tells
  });
}

function differences(found) {
  return [
    ...found.added.map((name) => `+ ${name}`),
    ...found.removed.map((name) => `− ${name}`),
    ...found.changed.map((each) => `~ ${each.name}: ${each.keys.join(", ")}${each.restarts ? " (restarts)" : ""}`),
    ...found.top.map((key) => `~ ${key}`),
  ];
}

async function prune() {
  await carryOut("prune", { dry_run: true }, "this machine", (steps) => {
    const { left } = steps.at(-1);
    const lines = [
      ...left.processes.map((each) => `end process ${each.pid} ${each.name}${whose(each)}`),
      ...left.files.map((each) => `remove ${each.path}: ${each.what}`),
      ...left.numbers.map((each) => `forget number ${each.instance} of ${each.stack}, of ${each.folder}, which is gone`),
    ];
    if (!lines.length) return "ended runs have left nothing behind";
    confirm("Remove what ended runs left behind?", "", "Clean up", () => carryOut("prune", {}, "this machine"))
      .lines = lines;
    return "";
  });
}

async function carryOut(what, given, whom, finish) {
  const title = `${NAMES[what]}${given.dry_run ? ", preview" : ""}: ${whom}`;
  const job = { id: (count += 1), title, words: "asked for", state: "working", lines: {} };
  running.filter((each) => each.title === job.title && each.state !== "working").forEach(dismiss); // of an earlier attempt
  running.push(job);
  changed();
  const steps = [];
  try {
    for await (const step of order(what, given)) {
      steps.push(step);
      if (step.end) {
        settle(job, step);
      } else if (step.waiting?.length) {
        job.words = `waiting for ${step.waiting.map((each) => `${each.name ?? ""} ${each.words}`.trim()).join("; ")}`;
      } else if (step.progress) {
        job.words = step.progress;
      }
      changed();
    }
    if (job.state === "working") fail(job, "the connection ended before it was done");
    if (job.state === "done" && finish) {
      job.words = finish(steps);
      if (!job.words) dismiss(job);
    }
  } catch (error) {
    fail(job, error.message || "the server of this page does not answer");
  }
  changed();
  if (job.state === "done") setTimeout(() => dismiss(job), 8000);
}

function settle(job, step) {
  const wrong = (step.results || []).filter((each) => !each.ok);
  job.state = step.ok ? "done" : "failed";
  job.lines = step.last_lines || {};
  const error = step.error && [step.error.what, step.error.why, step.error.hint].filter(Boolean).join(": ");
  const problems = step.error?.problems?.length ? `\n${step.error.problems.join("\n")}` : "";
  job.words = error ? error + problems
    : (wrong.length ? wrong : step.results || []).map((each) => `${each.name}: ${each.words}`).join("; ") || step.words || "done";
}

function fail(job, words) {
  job.state = "failed";
  job.words = words;
}

export function dismiss(job) {
  const at = running.indexOf(job);
  if (at >= 0) running.splice(at, 1);
  changed();
}

const SHAPES = { working: "◐", done: "●", failed: "✕" };
const WORDS = { working: "working", done: "done", failed: "failed" };

export function Jobs() {
  return html`<section class="jobs" aria-label="Orders" aria-live="polite">
    ${running.map((job) => html`<div class=${`job is-${job.state}`} key=${job.id}>
      <p>
        <span class="shape" aria-hidden="true">${SHAPES[job.state]}</span>${" "}
        <strong>${job.title}</strong> <span class="state">${WORDS[job.state]}</span>
        ${job.state !== "working" && html`<button class="quiet" onClick=${() => dismiss(job)}
          aria-label=${`Dismiss: ${job.title}`}>×</button>`}
      </p>
      <p class="words">${job.words}</p>
      ${Object.entries(job.lines).map(([name, lines]) => lines.length > 0 && html`<pre tabindex="0"
        aria-label=${`The last that ${name} printed`}>${lines.join("\n")}</pre>`)}
    </div>`)}
  </section>`;
}

export function Question() {
  const dialog = useRef(null);
  const [, again] = useState(0);
  const [asking] = questions;
  useEffect(() => dialog.current?.showModal(), [asking?.id]);
  if (!asking) return null;
  const close = () => {
    dialog.current?.close(); // which gives the focus back
    questions.shift();
    again((n) => n + 1);
    changed();
  };
  const yes = () => {
    close();
    asking.then();
  };
  return html`<dialog key=${asking.id} ref=${dialog} onCancel=${close} aria-labelledby="question">
    <h2 id="question">${asking.title}</h2>
    ${asking.words && html`<p>${asking.words}</p>`}
    ${asking.lines && html`<pre tabindex="0" aria-label="What changes">${asking.lines.join("\n")}</pre>`}
    <p class="buttons">
      <button onClick=${close}>Cancel</button>
      <button class="strong" onClick=${yes}>${asking.yes}</button>
    </p>
  </dialog>`;
}
