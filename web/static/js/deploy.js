// The plan beside the form, as somebody types; and secrets that are made up in the browser.
import { put } from "./live.js";

const PAUSE = 300;
const AGAIN = 15_000;
const form = document.getElementById("deploy");
const touched = new Set();
let waiting;
let asked;
let isStale = false;

async function plan() {
  clearTimeout(waiting);
  asked?.abort();
  asked = new AbortController();
  const { signal } = asked;
  document.getElementById("plan").ariaBusy = "true";
  try {
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.dataset.plan, { method: "POST", body, signal, headers: { accept: "text/html" } });
    if (!answer.ok || answer.redirected) throw new Error(`status ${answer.status}`);
    show(await answer.json());
    isStale = false;
  } catch (error) {
    // The next change asks again; the form itself is judged by the server in any case.
    if (error.name === "AbortError") return;
    isStale = false;
    document.getElementById("plan").ariaBusy = "false";
  }
}

function show({ parts }) {
  for (const part of parts) {
    const field = document.getElementById(part.target)?.closest("[data-field]");
    if (field && !touched.has(field.dataset.field) && !field.classList.contains("field-wrong")) continue;
    put(part);
    if (!field) continue;
    const isWrong = !document.getElementById(part.target).hidden;
    field.classList.toggle("field-wrong", isWrong);
    for (const control of field.querySelectorAll("input, select, textarea")) {
      if (isWrong) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    }
  }
}

function soon(pause) {
  isStale = true;
  clearTimeout(waiting);
  waiting = setTimeout(plan, pause);
}

form.addEventListener("input", () => soon(PAUSE));
form.addEventListener("change", (event) => {
  const field = event.target.closest("[data-field]");
  if (field) touched.add(field.dataset.field);
  soon(0);
});
form.addEventListener("submit", async (event) => {
  if (!isStale) return;
  // What runs is the plan that is shown, so it must be the plan of this form.
  event.preventDefault();
  await plan();
  isStale = false;
  form.requestSubmit(event.submitter?.isConnected ? event.submitter : undefined);
});
setInterval(() => document.hidden || isStale || form.dataset.sent || plan(), AGAIN);

const LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

function secret(length = 28) {
  const letters = [];
  while (letters.length < length) {
    const [byte] = crypto.getRandomValues(new Uint8Array(1));
    // Those beyond the last whole round would make some letters likelier.
    if (byte < 256 - (256 % LETTERS.length)) letters.push(LETTERS[byte % LETTERS.length]);
  }
  return letters.join("");
}

for (const tools of document.querySelectorAll("[data-secret]")) {
  const input = document.getElementById(tools.dataset.secret);
  const reveal = tools.querySelector("[data-reveal]");
  const look = (isShown) => {
    input.type = isShown ? "text" : "password";
    reveal.setAttribute("aria-pressed", String(isShown));
  };
  tools.hidden = false;
  reveal.addEventListener("click", () => look(input.type === "password"));
  tools.querySelector("[data-generate]").addEventListener("click", () => {
    input.value = secret();
    look(true);
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
}
