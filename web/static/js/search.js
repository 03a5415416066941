// Search as you type: the results are what the server would show for the same form.
import { put } from "./live.js";

const PAUSE = 140;
const form = document.getElementById("search");
let waiting;
let asked;

function query() {
  const fields = new URLSearchParams(new FormData(form));
  for (const [name, value] of [...fields]) if (!value) fields.delete(name);
  return fields.toString();
}

async function search() {
  asked?.abort();
  asked = new AbortController();
  const text = query();
  document.getElementById("results").ariaBusy = "true";
  try {
    const answer = await fetch(`${form.dataset.search}?${text}`, { signal: asked.signal, headers: { accept: "text/html" } });
    if (!answer.ok || answer.redirected) return form.submit();
    put({ target: "results", place: "replace", html: await answer.text() });
    history.replaceState(null, "", text ? `${form.action}?${text}` : form.action);
  } catch (error) {
    if (error.name !== "AbortError") document.getElementById("results").ariaBusy = "false";
  }
}

function soon(pause) {
  clearTimeout(waiting);
  waiting = setTimeout(search, pause);
}

form.addEventListener("input", (event) => soon(event.target.type === "radio" ? 0 : PAUSE));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  soon(0);
});
