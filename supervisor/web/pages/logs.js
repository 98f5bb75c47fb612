// The logs of one service or of several, merged: filtered, followed, and scrolled without an end.
import { html, useEffect, useLayoutEffect, useRef, useState } from "./lib.js";
import { useKeys } from "./keys.js";
import { LogView } from "./logview.js";
import { current, go, replace } from "./route.js";
import { ask, inTurn, isLive, onEvents, store } from "./store.js";
import { plural, tamed } from "./words.js";

const STARTS = ["service spawned", "roll begins"]; // as in supervisor/core/journal
const LOOK_EVERY = 400; // ms between two looks whether there are new lines

export function Logs({ route }) {
  const { asked } = route;
  const services = (asked.services || "").split(",").filter(Boolean);
  const box = useRef(null);
  const view = useRef(null);
  const [state, set] = useState({ isFollowing: true, unread: 0, count: 0, words: "" });
  const query = JSON.stringify({ services: asked.services || "", grep: asked.grep || "", level: asked.level || "",
    context: asked.context || "", case: asked.case || "", since: asked.since || "" });
  const put = (more) => {
    const { asked: last } = current(); // not that of the last drawing, which may be older
    const all = Object.entries({ ...last, time: "", stack: "", ...more }).filter(([, v]) => v);
    (more.grep && last.grep ? replace : go)("logs", Object.fromEntries(all));
  };

  useEffect(() => {
    const made = new LogView(box.current, {
      fetchLines: (number, count) => ask("stretch", { services: asked.services || "", number, count }),
      onMoved: (isFollowing) => set((s) => ({ ...s, isFollowing, unread: isFollowing ? 0 : s.unread })),
    });
    view.current = made;
    const stop = asked.grep || asked.level ? search(made, JSON.parse(query), set) : scroll(made, asked, set);
    return () => {
      stop();
      made.close();
      made.inner.remove();
    };
  }, [query, asked.time, store.key]);

  useKeys((event) => {
    const isTyping = event.target.closest("input, select, dialog");
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping || !view.current) return;
    if (event.key === "f") toggle();
    else if (event.key === "S") put({ since: asked.since ? "" : "restart" });
    else if (event.key === "n" || event.key === "N") step(view.current, event.key === "n" ? 1 : -1);
    else return;
    event.preventDefault();
  });

  const toggle = () => {
    if (view.current.isFollowing) {
      view.current.isFollowing = false;
      set((s) => ({ ...s, isFollowing: false }));
    } else {
      view.current.toEnd();
      set((s) => ({ ...s, isFollowing: true, unread: 0 }));
    }
  };
  return html`
    <div class="bar logs-bar">
      <h1>Logs</h1>
      <${Which} services=${services} put=${put} />
      <${Filter} asked=${asked} put=${put} />
      <button aria-pressed=${asked.since === "restart"} onClick=${() => put({ since: asked.since ? "" : "restart" })}>Since the last restart</button>
      <button aria-pressed=${state.isFollowing} onClick=${toggle}>Follow</button>
      <button onClick=${() => copy(view.current, set)}>Copy</button>
      <span class="faint" role="status">${state.words || plural(state.count, "line")}</span>
    </div>
    <div class=${`log ${services.length === 1 ? "one" : ""}`} ref=${box} tabindex="0" role="region"
      aria-label=${`Lines of ${services.join(", ") || "all services"}`}></div>
    ${!state.isFollowing && state.unread > 0 && html`<button class="unread strong" onClick=${toggle}>
      ${plural(state.unread, "new line")} ↓</button>`}`;
}

function Which({ services, put }) {
  const names = Object.keys(store.rows).sort();
  return html`<label>Service <select value=${services.length > 1 ? "+" : services[0] || ""}
    onChange=${(event) => put({ services: event.target.value })}>
    <option value="">all, merged</option>
    ${services.length > 1 && html`<option value="+" disabled>${services.join(", ")}</option>`}
    ${names.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
  </select></label>`;
}

// What is typed stays as it is typed, whatever is drawn meanwhile; only another address puts something else there.
function Filter({ asked, put }) {
  const box = useRef(null);
  const timer = useRef(0);
  const sent = useRef(null);
  const grep = asked.grep || "";
  useLayoutEffect(() => {
    if (grep !== sent.current) box.current.value = sent.current = grep;
  }, [grep]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const later = () => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => put({ grep: sent.current = box.current.value }), 250);
  };
  return html`
    <label>Filter <input data-filter type="search" ref=${box} placeholder="regular expression"
      spellcheck=${false} onInput=${later} /></label>
    <label>Level <select value=${asked.level || ""} onChange=${(event) => put({ level: event.target.value })}>
      ${["", "debug", "info", "warning", "error", "critical"].map((level) => html`<option key=${level} value=${level}>${level ? `${level} and worse` : "any"}</option>`)}
    </select></label>
    ${(asked.grep || asked.level) && html`
      <label>Around <select value=${asked.context || "0"} onChange=${(event) => put({ context: event.target.value })}>
        ${["0", "1", "3", "10", "20"].map((count) => html`<option key=${count} value=${count}>${plural(Number(count), "line")}</option>`)}
      </select></label>`}
    ${asked.grep && html`
      <label><input type="checkbox" checked=${asked.case === "yes"} onChange=${(event) => put({ case: event.target.checked ? "yes" : "" })} /> case matters</label>`}`;
}

// All lines, by number.  Gives what stops it.
function scroll(view, asked, set) {
  const services = asked.services || "";
  let isOver = false;
  let first = true;
  const look = async () => {
    const about = { services, count: 0 };
    if (first && asked.time) about.time = asked.time;
    else if (first && asked.since) about.since = asked.since;
    else about.number = view.first;
    try {
      const told = await ask("stretch", about);
      if (isOver) return;
      const more = told.end - view.end;
      if (first && told.asked != null && about.number === undefined) view.isFollowing = false;
      if (more || told.first !== view.first || first) view.grown(told.first, told.end);
      if (first && about.number === undefined && told.asked != null) view.to(told.asked + (asked.time ? 0 : 2));
      const isFollowing = view.isFollowing;
      if (first || more) {
        const unread = isFollowing || first ? 0 : Math.max(0, more); // fewer: it was emptied, or counted anew
        set((s) => ({ isFollowing, unread: isFollowing ? 0 : s.unread + unread, count: told.end - told.first, words: "" }));
      }
      first = false;
    } catch (error) {
      if (!isOver && store.connection === "live") set((s) => ({ ...s, words: error.message }));
    }
  };
  const readStarts = inTurn(async () => {
    const told = await ask("starts", { services }).catch(() => null);
    if (!told) return; // what is known stays
    view.starts = told.starts;
    view.draw();
  });
  const forget = onEvents((events) => {
    if (events.some((each) => STARTS.includes(each.event))) readStarts();
  });
  readStarts();
  let timer = 0;
  const round = async () => {
    if (!document.hidden && (first || isLive())) await look();
    if (!isOver) timer = setTimeout(round, LOOK_EVERY);
  };
  round();
  return () => {
    isOver = true;
    clearTimeout(timer);
    forget();
  };
}

// The lines that match, and again from behind the last one.
function search(view, query, set) {
  let isOver = false;
  let timer = 0;
  let cursor = "";
  let lines = [];
  let isFirst = true;
  let wasCut = false;
  let wasGone = false;
  view.mark = highlight(query);
  const round = async () => {
    try {
      const told = await ask("search", { ...query, cursor });
      if (isOver) return;
      cursor = told.cursor;
      wasCut = wasCut || told.is_cut;
      wasGone = wasGone || told.has_gap;
      if (told.lines.length || isFirst) {
        lines = [...lines, ...withGaps(told.lines, query.context > 0)].slice(-100_000);
        view.found(lines);
      }
      const matches = lines.filter((line) => line.is_match && !line.gap).length;
      const isFollowing = view.isFollowing;
      const unread = isFirst || isFollowing ? 0 : told.lines.length;
      set((s) => ({ isFollowing, unread: isFollowing ? 0 : s.unread + unread, count: lines.length,
        words: `${plural(matches, "match", "matches")}${wasCut ? ", some may be missing: the search took too long" : ""}${wasGone ? ", some are gone: the log was rotated" : ""}` }));
      isFirst = false;
    } catch (error) {
      if (isOver) return;
      set((s) => ({ ...s, words: error.told ? [error.told.what, error.told.why].filter(Boolean).join(": ") : s.words }));
      if (error.told?.usage) return; // a wrong expression stays wrong
    }
    if (!isOver) timer = setTimeout(round, document.hidden ? 5000 : 1500);
  };
  round();
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}

function withGaps(lines, hasContext) {
  if (!hasContext) return lines;
  return lines.flatMap((line, at) => (at > 0 && !line.goes_on ? [{ gap: true, is_match: false }, line] : [line]));
}

function highlight(query) {
  try {
    return query.grep ? new RegExp(query.grep, query.case === "yes" ? "g" : "gi") : null;
  } catch {
    return null; // Python knows forms that browsers do not: such matches are only listed
  }
}

function step(view, by) {
  if (!view.lines) return;
  const matches = view.lines.map((line, at) => (line.is_match && !line.gap ? at : -1)).filter((at) => at >= 0);
  const here = Math.round(view.topLine) + 2;
  const next = by > 0 ? matches.find((at) => at > here) : matches.filter((at) => at < here).at(-1);
  if (next !== undefined) view.to(next);
}

// What is selected, else what can be seen: as it was printed.
async function copy(view, set) {
  const selected = String(getSelection());
  const from = Math.floor(view.topLine);
  const seen = [];
  for (let at = from; at < Math.min(view.count, from + view.seen); at += 1) {
    const line = view.line(at);
    if (line && !line.gap) seen.push(line.message);
  }
  try {
    await navigator.clipboard.writeText(selected.trim() ? tamed(selected) : seen.join("\n"));
    set((s) => ({ ...s, words: selected.trim() ? "copied what is selected" : `copied ${plural(seen.length, "line")}` }));
  } catch {
    set((s) => ({ ...s, words: "this browser does not let a page copy" }));
  }
}
