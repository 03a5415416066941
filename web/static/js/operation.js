// The page of an operation: a step that runs shows what it prints, one that is done folds it away, unless a person
// has decided otherwise; times run.
const decided = new Set();

function fold(head) {
  const step = head.closest(".step");
  const output = step?.querySelector(".step-output");
  if (!output || decided.has(output.id)) return;
  output.open = head.dataset.state === "running" || head.dataset.state === "failed";
}

document.addEventListener("click", (event) => {
  const output = event.target.closest("summary")?.parentElement;
  if (output?.classList.contains("step-output")) decided.add(output.id);
});

document.addEventListener("patched", (event) => {
  for (const { target, place } of event.detail.parts) {
    if (place === "append") stay(document.getElementById(target));
    else if (target.startsWith("head-")) fold(document.getElementById(target));
  }
  tick();
});

// The newest line stays in view while a person looks at the end.
function stay(lines) {
  if (!lines) return;
  const rest = lines.scrollHeight - lines.scrollTop - lines.clientHeight;
  if (rest < 160) lines.scrollTop = lines.scrollHeight;
}

function elapsed(time) {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(time)) / 1000));
  if (seconds < 60) return `${seconds}\u00a0s`;
  return `${Math.floor(seconds / 60)}\u00a0min ${seconds % 60}\u00a0s`;
}

function tick() {
  for (const element of document.querySelectorAll("time[data-elapsed]")) {
    const words = elapsed(element.dateTime);
    if (element.textContent !== words) element.textContent = words;
  }
}

tick();
setInterval(tick, 1_000);
