// Shows every service of the stack, and asks again while somebody looks.

const EVERY = 3000;
const word = document.getElementById("word");
const rows = document.getElementById("services");
const form = document.getElementById("token-form");
const none = document.getElementById("none");
let token = new URLSearchParams(location.hash.slice(1)).get("token") ?? sessionStorage.getItem("token") ?? "";
if (location.hash) history.replaceState(null, "", location.pathname);
let timer = 0;

function cell(text, kind = "") {
  const made = document.createElement("td");
  made.textContent = text;
  made.className = kind;
  return made;
}

function row(service) {
  const made = document.createElement("tr");
  const name = document.createElement("td");
  const link = document.createElement(service.url ? "a" : "span");
  link.textContent = service.name;
  if (service.url) link.href = service.name === "conversational" ? "conversational/" : `${service.name}/health`;
  name.append(link);
  const checks = Object.entries(service.checks).map(([what, how]) => `${what}: ${how}`);
  const details = service.reason || checks.join(", ") || (service.state ?? "");
  made.append(name, cell(service.health, service.health), cell(service.port ?? "–"), cell(service.restarts ?? "–"), cell(details));
  return made;
}

async function look() {
  clearTimeout(timer);
  try {
    const answer = await fetch("api/health/aggregated", token ? {headers: {authorization: `Bearer ${token}`}} : {});
    form.hidden = answer.status !== 401;
    if (answer.status === 401) {
      word.textContent = token ? "this token is not right" : "a token is needed";
      rows.replaceChildren();
      return;
    }
    if (!answer.ok) throw new Error(`it answers ${answer.status}`);
    const report = await answer.json();
    word.textContent = report.status;
    word.className = report.status;
    const services = Object.values(report.services);
    rows.replaceChildren(...services.map(row));
    none.hidden = services.length > 0;
  } catch (error) {
    word.textContent = "the API server does not answer";
    word.className = "down";
  }
  if (document.visibilityState === "visible") timer = setTimeout(look, EVERY);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  token = document.getElementById("token").value.trim();
  sessionStorage.setItem("token", token);
  look();
});
document.addEventListener("visibilitychange", look);
look();
