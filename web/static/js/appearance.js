// Changes the theme at once; the server keeps the choice as it does without a script.
export function offerAppearance() {
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("[data-appearance]")) return;
    event.preventDefault();
    const { name, value } = event.submitter;
    const root = document.documentElement;
    if (value) root.dataset[name] = value;
    else delete root.dataset[name];
    for (const button of document.querySelectorAll(`[data-appearance] button[name="${name}"]`)) {
      button.setAttribute("aria-pressed", String(button.value === value));
    }
    const body = new URLSearchParams([[name, value]]);
    await fetch(form.action, { method: "POST", body, redirect: "manual" });
  });
}
