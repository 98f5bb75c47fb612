// Where in the page somebody is: `#/logs?services=api`.
import { store } from "./store.js";

export const SCREENS = { overview: "Overview", logs: "Logs", ports: "Ports", timeline: "Timeline", machine: "Machine" };

export function current() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [screen, name] = path.split("/").map(decodeURIComponent);
  const asked = Object.fromEntries(new URLSearchParams(query || ""));
  return { screen: screen in SCREENS || screen === "service" ? screen : "overview", name, asked };
}

export function link(screen, asked = {}, name = "") {
  const query = new URLSearchParams({ ...(store.key ? { stack: store.key } : {}), ...asked }).toString();
  return `#/${screen}${name ? `/${encodeURIComponent(name)}` : ""}${query ? `?${query}` : ""}`;
}

export function go(screen, asked, name) {
  location.hash = link(screen, asked, name);
}

// As `go`, without a step that leads back: for what changes with every letter.
export function replace(screen, asked) {
  location.replace(link(screen, asked));
}
