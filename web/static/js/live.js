// Keeps a page up to date. `<body data-live="…">` names a stream of parts that the server renders; each is put in its
// place. A lost connection is taken up again from the last event that was seen. A page that nobody looks at does not
// listen: browsers allow only a few connections to one server.
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 15_000;
const SHOWN_AFTER = 1_500;

let source;
let lastEvent;
let pause = FIRST_PAUSE;
let retry;
let notice;
let isOver = false;

export function follow() {
  if (!document.body.dataset.live) return;
  open();
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  addEventListener("pageshow", () => open());
}

function address() {
  const url = new URL(document.body.dataset.live, location.href);
  if (lastEvent) url.searchParams.set("after", lastEvent);
  return url;
}

function open() {
  if (source || isOver || document.hidden) return;
  clearTimeout(retry);
  source = new EventSource(address());
  source.addEventListener("open", () => {
    pause = FIRST_PAUSE;
    lost(false);
  });
  source.addEventListener("patch", (event) => {
    if (event.lastEventId) lastEvent = event.lastEventId;
    patch(JSON.parse(event.data));
  });
  // The stream broke on the server's side, and it says why: begin again later.
  source.addEventListener("problem", again);
  source.addEventListener("error", () => {
    lost(true);
    // The browser tries again by itself unless the server refused.
    if (source?.readyState === EventSource.CLOSED) again();
  });
}

function close() {
  clearTimeout(retry);
  source?.close();
  source = undefined;
  lost(false);
}

function again() {
  source?.close();
  source = undefined;
  lost(true);
  clearTimeout(retry);
  retry = setTimeout(open, pause);
  pause = Math.min(pause * 2, LONGEST_PAUSE);
}

function lost(isLost) {
  clearTimeout(notice);
  const element = document.getElementById("connection");
  if (!element) return;
  // A short gap is nobody's business.
  if (isLost) notice = setTimeout(() => (element.hidden = false), SHOWN_AFTER);
  else element.hidden = true;
}

function patch({ parts, tone, title, over }) {
  for (const part of parts) put(part);
  if (title) plainTitle = `${title} · Proximity`;
  if (tone || title) show(tone ?? document.body.dataset.tone);
  document.dispatchEvent(new CustomEvent("patched", { detail: { parts } }));
  if (over) {
    isOver = true;
    close();
  }
}

// What comes for an element waits, until it is released; `told` hears how many lines wait.
const held = new Map();

export function hold(target, told) {
  held.set(target, { parts: [], lines: 0, told });
}

export function release(target) {
  const waiting = held.get(target)?.parts ?? [];
  held.delete(target);
  for (const part of waiting) put(part);
  document.dispatchEvent(new CustomEvent("patched", { detail: { parts: waiting } }));
}

export function put({ target, place, html }) {
  const element = document.getElementById(target);
  if (!element) return;
  const waiting = held.get(target);
  if (waiting) {
    waiting.parts.push({ target, place, html });
    waiting.lines += html.split("<li").length - 1;
    waiting.told(waiting.lines);
    return;
  }
  const template = document.createElement("template");
  template.innerHTML = html;
  if (place === "append") {
    element.append(template.content);
    return;
  }
  const restore = kept(element);
  element.replaceWith(template.content);
  restore();
}

// What a person is in the middle of stays: the focus, and what they have unfolded or ticked.
function kept(element) {
  const active = document.activeElement;
  const focused = element.contains(active) ? active.id || active.getAttribute("href") : undefined;
  const unfolded = [...element.querySelectorAll("details[id][open]")].map((details) => details.id);
  const ticked = [...element.querySelectorAll("input[type=checkbox][id]:checked")].map((box) => box.id);
  return () => {
    for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
    for (const id of ticked) {
      const box = document.getElementById(id);
      if (box) box.checked = true;
    }
    if (!focused) return;
    const again = document.getElementById(focused) ?? document.querySelector(`[href="${CSS.escape(focused)}"]`);
    again?.focus({ preventScroll: true });
  };
}

// What the page is about does, in its picture and title; the signs are those of the layout.
const SIGNS = { working: "◌ ", attention: "⚠ " };
let plainTitle = document.title.replace(/^[◌⚠] /u, "");

function show(tone) {
  document.body.dataset.tone = tone;
  document.title = (SIGNS[tone] ?? "") + plainTitle;
  const favicon = document.getElementById("favicon");
  if (favicon?.dataset[tone]) favicon.href = favicon.dataset[tone];
}
