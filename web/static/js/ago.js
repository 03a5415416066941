// Keeps "5 min ago" true: the same words as the server's, from the time in the element.
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export function ago(time, now = Date.now()) {
  const seconds = (now - Date.parse(time)) / 1000;
  const far = Math.abs(seconds);
  if (far < 45) return "just now";
  const words = span(far);
  return seconds > 0 ? `${words} ago` : `in ${words}`;
}

function span(seconds) {
  const minutes = Math.max(1, Math.floor((seconds + 30) / MINUTE));
  if (minutes * MINUTE < HOUR) return `${minutes} min`;
  if (minutes * MINUTE < DAY) return `${Math.floor((minutes * MINUTE) / HOUR)} h`;
  if (minutes * MINUTE < 60 * DAY) return `${Math.floor((minutes * MINUTE) / DAY)} d`;
  return `${Math.floor((minutes * MINUTE) / (30 * DAY))} months`;
}

function refresh() {
  for (const element of document.querySelectorAll("time[data-ago]")) {
    const words = ago(element.dateTime);
    if (element.textContent !== words) element.textContent = words;
  }
}

export function keepTimes() {
  setInterval(refresh, 20_000);
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
}
