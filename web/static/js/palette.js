// Go anywhere by a few letters: Ctrl-K or Cmd-K. A combobox with a list box, as ARIA's practices describe it: the focus
// stays in the field, `aria-activedescendant` names what Enter would choose. Without a script the navigation does all this.
import { isWriting, showKeys } from "./keys.js";
import { rank } from "./rank.js";

const KEPT = 30_000;
let groups;
let asked = 0;
let loading;

const part = (id) => document.getElementById(id);

async function load() {
  try {
    const answer = await fetch("/parts/palette", { headers: { accept: "application/json" } });
    if (answer.status === 401) return location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    ({ groups } = await answer.json());
    asked = Date.now();
    show();
  } catch {
    // What was read before still helps.
    if (!groups) part("palette-note").textContent = "The list could not be read. Close this and try again.";
  } finally {
    loading = undefined;
  }
}

function option(entry, number) {
  const link = document.createElement("a");
  Object.assign(link, { id: `palette-${number}`, className: "palette-entry", href: entry.to, tabIndex: -1, role: "option", ariaSelected: "false" });
  if (entry.away) Object.assign(link, { target: "_blank", rel: "noopener noreferrer" });
  if (entry.picture) {
    const picture = document.createElement("img");
    Object.assign(picture, { className: "picture", src: entry.picture, alt: "", width: 22, height: 22, loading: "lazy" });
    link.append(picture);
  } else {
    const icon = document.createElement("span");
    icon.className = "palette-icon";
    icon.innerHTML = entry.icon ?? "";
    link.append(icon);
  }
  const label = document.createElement("span");
  label.className = "palette-label";
  label.textContent = entry.label;
  const hint = document.createElement("span");
  hint.className = "palette-hint";
  hint.textContent = entry.hint;
  link.append(label, " ", hint);
  return link;
}

function show() {
  const text = part("palette-input").value;
  const list = part("palette-list");
  let number = 0;
  list.replaceChildren(
    ...rank(groups, text).map((group, at) => {
      const box = document.createElement("div");
      box.role = "group";
      const title = document.createElement("p");
      Object.assign(title, { id: `palette-group-${at}`, className: "palette-group", textContent: group.title, role: "presentation" });
      box.setAttribute("aria-labelledby", title.id);
      box.append(title, ...group.entries.map((entry) => option(entry, number++)));
      return box;
    }),
  );
  const found = `${number} ${number === 1 ? "entry" : "entries"}`;
  part("palette-note").textContent = number ? (text.trim() ? found : "") : "Nothing is called that.";
  list.scrollTop = 0;
  choose(0);
}

const options = () => [...part("palette-list").querySelectorAll("[role=option]")];

function chosen() {
  return part("palette-list").querySelector("[aria-selected=true]");
}

function choose(to) {
  const all = options();
  const next = all[(to + all.length) % all.length];
  const before = chosen();
  if (before) before.ariaSelected = "false";
  const input = part("palette-input");
  if (!next) return input.removeAttribute("aria-activedescendant");
  next.ariaSelected = "true";
  input.setAttribute("aria-activedescendant", next.id);
  next.scrollIntoView({ block: "nearest" });
}

function press(event) {
  if (event.isComposing) return;
  const all = options();
  const at = all.indexOf(chosen());
  const moves = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: Math.min(at + 8, all.length - 1), PageUp: Math.max(at - 8, 0) };
  if (event.key in moves) {
    event.preventDefault();
    choose(moves[event.key]);
  } else if (event.key === "Enter") {
    event.preventDefault();
    go(event.ctrlKey || event.metaKey);
  } else if (event.key === "?" && !event.target.value) {
    event.preventDefault();
    part("palette").close();
    showKeys();
  }
}

function go(inNewTab) {
  const link = chosen();
  if (!link) return;
  if (inNewTab) window.open(link.href, "_blank", "noopener");
  else link.click();
}

function open() {
  const dialog = part("palette");
  if (dialog.open) return dialog.close();
  // Another question is open: that one first.
  if (document.querySelector("dialog[open]")) return;
  part("palette-input").value = "";
  part("palette-note").textContent = groups ? "" : "Reading…";
  dialog.showModal();
  part("palette-input").focus();
  if (groups) show();
  if (Date.now() - asked > KEPT) loading ??= load();
}

export function offerPalette() {
  const place = part("palette-place");
  const template = part("palette-parts");
  if (!place || !template) return;
  const parts = template.content.cloneNode(true);
  if (/Mac|iPhone|iPad/.test(navigator.platform)) {
    parts.querySelector("#palette-button kbd").textContent = "⌘K";
    parts.querySelector(".key-control").textContent = "⌘";
  }
  place.append(parts.getElementById("palette-button"));
  document.body.append(parts);
  part("palette-button").addEventListener("click", open);
  part("palette-input").addEventListener("input", () => groups && show());
  part("palette-input").addEventListener("keydown", press);
  part("palette-list").addEventListener("mousemove", (event) => {
    const link = event.target.closest("[role=option]");
    if (link && link !== chosen()) choose(options().indexOf(link));
  });
  part("palette-list").addEventListener("click", (event) => {
    if (event.target.closest("[role=option]")) part("palette").close();
  });
  document.addEventListener("keydown", (event) => {
    const isOurs = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
    // In a field of somebody's, Ctrl-K of a Mac deletes to the end of the line.
    const isTheirs = isOurs && !event.metaKey && /Mac/.test(navigator.platform) && isWriting(event.target);
    if (!isOurs || isTheirs || event.defaultPrevented || event.repeat) return;
    event.preventDefault();
    open();
  });
}
