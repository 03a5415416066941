// Keys of every page: `/` for its search, `?` for the table of keys. The palette has its own.

// Whether somebody writes, so that a letter is a letter.
export function isWriting(target) {
  return target.isContentEditable || /^(?:input|textarea|select)$/i.test(target.tagName);
}

export function showKeys() {
  const keys = document.getElementById("keys");
  if (keys && !keys.open) keys.showModal();
}

export function offerKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (isWriting(event.target) || document.querySelector("dialog[open]")) return;
    if (event.key === "?") {
      event.preventDefault();
      showKeys();
    } else if (event.key === "/") {
      const search = document.querySelector("main input[type=search]");
      if (!search) return;
      event.preventDefault();
      search.focus();
      search.select();
    }
  });
}
