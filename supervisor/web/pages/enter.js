// Turns the key behind the # of a link, which no server but ours ever gets, into a cookie and the key of this page.
const words = document.getElementById("words");
const key = location.hash.slice(1);
history.replaceState(null, "", "/enter"); // not into the history, and not into what somebody copies

if (!key) {
  words.textContent = "You are not logged in.";
} else {
  try {
    const answer = await fetch("/enter", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ key }),
    });
    const told = await answer.json();
    if (answer.ok) {
      localStorage.setItem("portsup-key", told.key);
      location.replace("/");
    } else if (localStorage.getItem("portsup-key")) {
      location.replace("/"); // a link that was used by this browser still leads to the page
    } else {
      words.textContent = `You are not logged in: ${told.error.what}.`;
    }
  } catch {
    words.textContent = "The server of this page does not answer.";
  }
}
