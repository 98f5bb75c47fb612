// What somebody presses has to be what they have seen.  When rows change their order or a button its meaning, something
// else stands under the pointer or the focus at once, and nobody can have meant it: such a press does nothing but say so.
const UNSEEN = 400; // ms that pass at least between what is seen and what is done because of it

let moved = []; // { at, deeds, focus }: what was where before something has moved
const turned = new Map(); // by service when it has turned from one that can be stopped to one that can be started, or back

export const labelOf = (deed) => deed.getAttribute("aria-label") || deed.textContent.trim();

// To be called before something is drawn that may move: what can be pressed, and where it is.
export function remember() {
  const deeds = [];
  const add = (deed) => {
    const { left, right, top, bottom } = deed.getBoundingClientRect();
    if (bottom > 0 && top < innerHeight) deeds.push({ left, right, top, bottom, label: labelOf(deed) });
  };
  for (const row of document.querySelectorAll("main tbody tr")) {
    const { top, bottom } = row.getBoundingClientRect();
    if (bottom > 0 && top < innerHeight) row.querySelectorAll("button, a[href]").forEach(add);
  }
  document.querySelectorAll("main .bar button, dialog button").forEach(add);
  const focused = document.activeElement;
  const now = performance.now();
  moved = moved.filter((each) => now - each.at < UNSEEN);
  moved.push({ at: now, deeds, focus: { element: focused, label: labelOf(focused) } });
}

// What the pointer or the focus has had a moment ago instead of this; empty where it is the same.
function before(event, deed) {
  const label = labelOf(deed);
  const [x, y] = [event.clientX, event.clientY];
  for (const { at, deeds, focus } of moved) {
    if (performance.now() - at >= UNSEEN) continue;
    const was = event.detail ? deeds.find((each) => each.left <= x && x <= each.right && each.top <= y && y <= each.bottom)
      : focus.element === deed && focus;
    if (was && was.label !== label) return was.label;
  }
  return "";
}

// Keeps presses from what has just come there; `say` is told what was meant.
export function steady(say) {
  addEventListener("click", (event) => {
    const deed = event.target.closest?.("button, a[href]");
    const meant = deed && before(event, deed);
    if (!meant) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    say(meant);
  }, true);
}

export function turns(name) {
  turned.set(name, performance.now());
}

// Whether a key that starts or stops would do the other of these than what could be seen.
export const hasJustTurned = (name) => performance.now() - (turned.get(name) ?? -UNSEEN) < UNSEEN;
