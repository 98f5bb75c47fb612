// How times, sizes and moments are written, everywhere in the same way.
export function duration(seconds) {
  if (seconds == null) return "";
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m ${s % 60}s`;
  if (s < 86400) return `${Math.floor(s / 3600)}h ${Math.floor((s % 3600) / 60)}m`;
  return `${Math.floor(s / 86400)}d ${Math.floor((s % 86400) / 3600)}h`;
}

export function size(bytes) {
  if (bytes == null) return "";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value < 10 && unit ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

export const percent = (share) => (share == null ? "" : `${share < 9.95 ? share.toFixed(1) : Math.round(share)} %`);

export const seconds = (value) => (value == null ? "–" : `${value.toFixed(3)} s`);

export function clock(time) {
  const when = typeof time === "number" ? new Date(time * 1000) : new Date(time);
  const two = (number) => String(number).padStart(2, "0");
  return `${two(when.getHours())}:${two(when.getMinutes())}:${two(when.getSeconds())}`;
}

export function moment(time) {
  const when = typeof time === "number" ? new Date(time * 1000) : new Date(time);
  const isToday = when.toDateString() === new Date().toDateString();
  return isToday ? clock(time) : `${when.toLocaleDateString()} ${clock(time)}`;
}

// What programs print, without the codes that a terminal would obey, and those that show letters in another order.
const CODES = /\x1b(?:\[[0-?]*[ -/]*[@-~]?|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[PX^_][^\x1b\n]*(?:\x1b\\)?|[ -/]*[0-~])?|[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
export const tamed = (text) => text.replace(CODES, "");

export function plural(count, one, many = `${one}s`) {
  return `${count.toLocaleString()} ${count === 1 ? one : many}`;
}

// Of a process that a killed run has left: its environment may not tell the service any more.
export const whose = ({ service, stack }) => (service ? ` of service ${service}` : stack ? ` of stack ${stack}` : "");
