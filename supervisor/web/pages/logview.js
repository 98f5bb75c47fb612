// Lines without an end: only those that can be seen are there, the others are fetched by number when they are needed.
// Nothing here moves what somebody reads: new lines are added below, and lines that rotation takes away are compensated.
import { clock, tamed } from "./words.js";

export const HEIGHT = 20; // px of a line, as in page.css
const TALLEST = 16_000_000; // px; browsers stop somewhere beyond, so in longer logs the bar stands in proportion
const SETTLED = 150; // ms without scrolling until the bar of such a log is put where its lines are
const CHUNK = 200;
const KEPT = 80; // chunks
const BEYOND = 15; // lines above and below those that can be seen

/** How the service of an event is called, or its replica. */
const named = (event) => (event.replica ? `${event.service}.${event.replica}` : event.service);

export class LogView {
  // `fetchLines(number, count)` gives { number, lines, first, end }; `onMoved` is told whether the end can be seen.
  constructor(box, { fetchLines, onMoved, onChosen }) {
    this.box = box;
    this.fetchLines = fetchLines;
    this.onMoved = onMoved;
    this.inner = document.createElement("div");
    this.inner.className = "lines";
    box.append(this.inner);
    this.rows = [];
    this.isFollowing = true;
    this.reset();
    box.addEventListener("scroll", () => this.scrolled(), { passive: true });
    box.addEventListener("click", (event) => {
      const row = event.target.closest(".line");
      if (row) onChosen?.(row.textContent);
    });
    this.resizing = new ResizeObserver(() => this.draw());
    this.resizing.observe(box);
  }

  reset() {
    this.first = this.end = 0;
    this.counting = 0; // how often the lines were counted anew
    this.chunks = new Map();
    this.wanted = new Set();
    this.lines = null; // of a search: all there are
    this.starts = [];
    this.mark = null;
    this.begin = 0; // the line at the top, where the log is too long for pixels to tell
    this.lastTop = 0;
  }

  close() {
    this.resizing.disconnect();
    this.isClosed = true;
  }

  get count() {
    return this.lines ? this.lines.length : this.end - this.first;
  }

  get seen() {
    return Math.max(1, Math.floor(this.box.clientHeight / HEIGHT));
  }

  // How long the log is by now.
  grown(first, end) {
    // It was emptied, or is counted anew, as after a restart of the server: then its lines stand where they stood.
    const isAnew = end < this.end || first > this.end || first < this.first;
    if (isAnew) {
      this.chunks.clear();
      this.wanted.clear();
      this.counting += 1;
    }
    const gone = isAnew ? 0 : first - this.first;
    const last = Math.floor((this.end - 1) / CHUNK);
    if (end > this.end) this.stale = last; // the chunk that was not full
    [this.first, this.end] = [first, end];
    this.sized(gone);
  }

  // All lines of a search.
  found(lines) {
    this.lines = lines;
    this.sized(0);
  }

  sized(gone) {
    const scaled = this.count * HEIGHT;
    this.inner.style.height = `${Math.min(scaled, TALLEST)}px`;
    if (this.isFollowing) this.toEnd();
    else if (this.isScaled) this.begin = Math.max(0, this.begin - gone);
    else if (gone > 0) this.box.scrollTop -= gone * HEIGHT;
    this.draw();
  }

  toEnd() {
    this.isFollowing = true;
    this.begin = Math.max(0, this.count - this.seen);
    this.setScroll(this.box.scrollHeight);
    this.draw();
  }

  // Puts the line with that number near the top.
  to(number) {
    this.isFollowing = false;
    const at = Math.max(0, (this.lines ? number : number - this.first) - 2);
    this.begin = at;
    this.setScroll(this.isScaled ? this.barOf(at) : at * HEIGHT);
    this.draw();
    this.onMoved(this.isFollowing);
  }

  setScroll(position) {
    const before = this.box.scrollTop;
    this.box.scrollTop = position;
    this.isOwn = this.box.scrollTop !== before;
    this.lastTop = this.box.scrollTop;
  }

  // Where the bar stands for a line at the top, and the other way round.
  barOf(begin) {
    return (begin / Math.max(1, this.count - this.seen)) * (this.box.scrollHeight - this.box.clientHeight);
  }

  lineOf(top) {
    return (top / Math.max(1, this.box.scrollHeight - this.box.clientHeight)) * Math.max(0, this.count - this.seen);
  }

  // By a wheel or a key line by line, by the bar in proportion.
  scrolledFar() {
    const { scrollTop, clientHeight } = this.box;
    const by = scrollTop - this.lastTop;
    this.lastTop = scrollTop;
    const isNear = Math.abs(by) <= 2 * clientHeight && scrollTop > 0;
    this.begin = isNear ? this.begin + by / HEIGHT : this.lineOf(scrollTop);
    this.begin = Math.min(Math.max(0, this.begin), Math.max(0, this.count - this.seen));
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.isClosed || this.isFollowing || this.setScroll(this.barOf(this.begin)), SETTLED);
  }

  get topLine() {
    return this.isScaled ? this.begin : this.box.scrollTop / HEIGHT;
  }

  get isScaled() {
    return this.count * HEIGHT > TALLEST;
  }

  scrolled() {
    const isAtEnd = this.box.scrollTop + this.box.clientHeight >= this.box.scrollHeight - HEIGHT;
    if (!this.isOwn || isAtEnd) {
      if (this.isFollowing !== isAtEnd) {
        this.isFollowing = isAtEnd;
        this.onMoved(isAtEnd);
      }
    }
    if (this.isScaled && !this.isOwn && !isAtEnd) this.scrolledFar();
    else if (this.isScaled && isAtEnd) this.begin = Math.max(0, this.count - this.seen);
    this.isOwn = false;
    this.lastTop = this.box.scrollTop;
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  draw() {
    if (this.isClosed) return;
    const { scrollTop } = this.box;
    const begin = this.topLine;
    const from = Math.max(0, Math.floor(begin) - BEYOND);
    const to = Math.min(this.count, Math.ceil(begin) + this.seen + BEYOND);
    while (this.rows.length < to - from) this.rows.push(this.inner.appendChild(newRow()));
    // A line keeps its row as long as it can be seen, so that a frame costs no more than the lines that are new in it.
    for (let index = from; index < from + this.rows.length; index += 1) {
      const row = this.rows[index % this.rows.length];
      const isThere = index < to;
      if (row.hidden === isThere) row.hidden = !isThere;
      if (isThere) {
        const y = this.isScaled ? scrollTop + (index - begin) * HEIGHT : index * HEIGHT;
        this.fill(row, index, y);
      }
    }
    if (!this.lines) this.fetchAround(from, to);
  }

  line(index) {
    if (this.lines) return this.lines[index];
    const number = this.first + index;
    return this.chunks.get(Math.floor(number / CHUNK))?.[number % CHUNK];
  }

  fill(row, index, y) {
    if (row.y !== y) {
      row.y = y;
      row.style.transform = `translateY(${y}px)`;
    }
    const line = this.line(index);
    const { mark, starts } = this;
    if (row.line === line && row.index === index && row.mark === mark && row.starts === starts) return;
    Object.assign(row, { line, index, mark, starts });
    const [time, service, text] = row.children;
    if (!line) {
      time.textContent = service.textContent = "";
      text.textContent = "…";
      row.className = "line";
      return;
    }
    const start = line.gap ? null : this.startAt(line, this.line(index - 1));
    row.className = `line${line.level ? ` level-${line.level}` : ""}${line.stream === "stderr" ? " stderr" : ""}`
      + `${line.is_match === false ? " beside" : ""}${start ? " start" : ""}${line.gap ? " gap" : ""}`;
    time.textContent = line.gap ? "" : clock(line.time);
    time.title = line.gap ? "" : line.time;
    service.textContent = line.gap ? "" : line.service;
    if (start) row.dataset.start = `${named(start)} started${start.pid ? `, pid ${start.pid}` : ""}`;
    else delete row.dataset.start;
    marked(text, line.gap ? "⋯" : tamed(line.message).slice(0, 4000), this.mark);
  }

  startAt(line, before) {
    if (!before) return null;
    return this.starts.find((each) => named(each) === line.service && each.time <= line.time && each.time > before.time);
  }

  fetchAround(from, to) {
    const chunk = (index) => Math.floor((this.first + index) / CHUNK);
    for (let number = chunk(from); to > from && number <= chunk(to - 1); number += 1) {
      if (this.chunks.has(number) && number !== this.stale) continue;
      if (this.wanted.has(number) || this.wanted.size >= 4) continue;
      this.fetchChunk(number);
    }
  }

  async fetchChunk(number) {
    const { counting } = this;
    this.wanted.add(number);
    if (number === this.stale) this.stale = null;
    try {
      const begin = Math.max(number * CHUNK, this.first);
      const told = await this.fetchLines(begin, (number + 1) * CHUNK - begin);
      if (this.isClosed || counting !== this.counting) return;
      const lines = new Array(CHUNK);
      for (const [at, line] of told.lines.entries()) lines[(told.number % CHUNK) + at] = line;
      this.chunks.delete(number);
      this.chunks.set(number, lines);
      if (this.chunks.size > KEPT) this.chunks.delete(this.chunks.keys().next().value);
    } catch {
      await new Promise((go) => setTimeout(go, 1000)); // the banner says why
    } finally {
      if (counting === this.counting) this.wanted.delete(number);
      requestAnimationFrame(() => this.draw());
    }
  }
}

function newRow() {
  const row = document.createElement("div");
  row.className = "line";
  row.append(document.createElement("time"), document.createElement("b"), document.createElement("span"));
  return row;
}

// Text and never markup: what matches is put into elements of its own.
function marked(place, text, mark) {
  const pieces = [];
  if (mark) {
    let at = 0;
    mark.lastIndex = 0;
    for (let found = mark.exec(text); found && pieces.length < 40; found = mark.exec(text)) {
      if (!found[0]) {
        mark.lastIndex += 1;
        continue;
      }
      const element = document.createElement("mark");
      element.textContent = found[0];
      pieces.push(text.slice(at, found.index), element);
      at = found.index + found[0].length;
    }
    if (pieces.length) pieces.push(text.slice(at));
  }
  if (pieces.length) place.replaceChildren(...pieces);
  else place.textContent = text;
}
