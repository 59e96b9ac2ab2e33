// Makes pages fresher; none of them needs it.
"use strict";

// Fragments of an open page, as they change. A lost connection is shown, and comes back by itself.
const source = document.body.dataset.live;
const connection = document.getElementById("connection");
if (source && window.EventSource) {
  let events;
  const open = () => {
    events = new EventSource(source);
    events.addEventListener("open", () => say(""));
    events.addEventListener("error", () => say("Connection lost, trying again…"));
    events.addEventListener("fragment", (event) => replace(JSON.parse(event.data)));
    events.addEventListener("end", () => events.close());
  };
  const say = (text) => { if (connection) connection.textContent = text; };
  const replace = ({ id, html }) => {
    const old = document.getElementById(id);
    // What somebody is filling in, or has selected, is not taken away.
    if (!old || old.contains(document.activeElement) && document.activeElement.matches("input, select, textarea")) return;
    const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    const opened = [...old.querySelectorAll("details[open][id]")].map((one) => one.id);
    old.outerHTML = html;
    for (const one of opened) document.getElementById(one)?.setAttribute("open", "");
    if (focused) document.getElementById(focused)?.focus();
    times();
  };
  // A page in the background needs no events.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) events.close(); else if (events.readyState === EventSource.CLOSED) open();
  });
  open();
}

// Times in words go on while a page is open.
const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
function words(seconds) {
  const far = Math.abs(seconds);
  if (far < 1) return "now";
  const [name, size] = units.find(([, size]) => far >= size);
  const count = Math.floor(far / size);
  const text = `${count} ${name}${count === 1 ? "" : "s"}`;
  return seconds > 0 ? `in ${text}` : `${text} ago`;
}
function times() {
  for (const time of document.querySelectorAll("time[data-relative]")) {
    time.textContent = words(Math.round((Date.parse(time.dateTime) - Date.now()) / 1000));
  }
}
setInterval(times, 1000);

// Buttons that cannot be undone ask first.
document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

// Copies the text of the element before it.
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-copy]");
  if (button) navigator.clipboard?.writeText(button.dataset.copy).then(() => { button.textContent = "Copied"; });
});

// "/" goes to the search.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
  const search = document.querySelector("input[type=search]");
  if (search) { event.preventDefault(); search.focus(); }
});
