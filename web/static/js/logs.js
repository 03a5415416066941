// The log of an app: follows the end while a person looks at it, can be paused, and keeps only so many lines.
import { hold, release } from "./live.js";

const MOST = 5_000;
const log = document.getElementById("log");
const pause = document.getElementById("log-pause");
const wrap = document.getElementById("log-wrap");
let follows = true;

function toEnd() {
  if (log && follows) log.scrollTop = log.scrollHeight;
}

function trim() {
  while (log && log.children.length > MOST) log.firstElementChild.remove();
}

if (log) {
  log.addEventListener("scroll", () => {
    follows = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  });
  document.addEventListener("patched", () => {
    if (log.children.length > 0) document.getElementById("log-none")?.remove();
    trim();
    toEnd();
  });
  if (!location.hash) toEnd();
}

if (log && pause && document.body.dataset.live) {
  pause.hidden = false;
  const words = pause.querySelector("span");
  pause.addEventListener("click", () => {
    const isPaused = pause.getAttribute("aria-pressed") !== "true";
    pause.setAttribute("aria-pressed", String(isPaused));
    if (isPaused) {
      hold("log", (waiting) => (words.textContent = waiting ? `Go on (${waiting} new)` : "Go on"));
      words.textContent = "Go on";
    } else {
      words.textContent = "Pause";
      release("log");
    }
  });
}

if (log && wrap) {
  wrap.hidden = false;
  const show = (isWrapped) => {
    log.classList.toggle("log-unwrapped", !isWrapped);
    wrap.setAttribute("aria-pressed", String(isWrapped));
  };
  show(localStorage.getItem("log-wrap") !== "no");
  wrap.addEventListener("click", () => {
    const isWrapped = wrap.getAttribute("aria-pressed") !== "true";
    localStorage.setItem("log-wrap", isWrapped ? "yes" : "no");
    show(isWrapped);
  });
}
