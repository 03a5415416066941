// Which entries of the palette are meant by what somebody typed. Knows nothing of the page.
const MOST = 40;

// Lower case and without accents, so that `cafe` finds `Café`.
function plain(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

// How well one word is found in a label, or among the words besides: 0 is not at all.
function score(word, label, words) {
  const at = label.indexOf(word);
  if (at === 0) return 8;
  if (at > 0) return /[\p{L}\p{N}]/u.test(label[at - 1]) ? 2 : 5;
  return words.includes(word) ? 1 : 0;
}

// The groups with the entries that have every word of `text`, the best first; without a text what is not quiet.
export function rank(groups, text) {
  const typed = plain(text).split(/\s+/).filter(Boolean);
  if (!typed.length) return groups.map((group) => ({ ...group, entries: group.entries.filter((entry) => !entry.quiet) })).filter((group) => group.entries.length);
  const found = [];
  for (const [order, group] of groups.entries()) {
    const entries = [];
    for (const entry of group.entries) {
      const label = plain(entry.label);
      const words = plain(`${entry.words ?? ""} ${entry.hint}`);
      const scores = typed.map((word) => score(word, label, words));
      if (scores.includes(0)) continue;
      const sum = scores.reduce((all, one) => all + one, 0);
      entries.push({ entry, points: sum + (label === typed.join(" ") ? 10 : 0) - (entry.quiet ? 1 : 0) });
    }
    entries.sort((one, other) => other.points - one.points);
    if (entries.length) found.push({ title: group.title, order, best: entries[0].points, entries: entries.map(({ entry }) => entry) });
  }
  found.sort((one, other) => other.best - one.best || one.order - other.order);
  let left = MOST;
  return found
    .map(({ title, entries }) => {
      const some = entries.slice(0, left);
      left -= some.length;
      return { title, entries: some };
    })
    .filter((group) => group.entries.length);
}
