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
  const waiting = new Map();
  const replace = ({ id, html }) => {
    const old = document.getElementById(id);
    if (!old) return;
    // What somebody is filling in, has selected or is about to press in a row is not taken away.
    const isHeld = old.contains(document.activeElement) && document.activeElement.matches("input, select, textarea");
    if (isHeld || old.querySelector("td button:hover")) { waiting.set(id, html); return; }
    waiting.delete(id);
    const typed = [...old.querySelectorAll("input[id]:not([type=hidden]), textarea[id]")].filter((one) => one.value !== one.defaultValue);
    const isInside = old.contains(document.activeElement);
    const focused = isInside ? document.activeElement.id || id : "";
    const link = isInside && !document.activeElement.id ? document.activeElement.getAttribute("href") : null;
    const opened = [...old.querySelectorAll("details[open][id]")].map((one) => one.id);
    const scrolled = [...old.querySelectorAll(".scroll, .stages, pre")].map((one) => [one.scrollLeft, one.scrollTop]);
    const top = window.scrollY;
    old.outerHTML = html;
    const fresh = document.getElementById(id);
    // What is scrolled sideways stays where it is, and so does the page.
    [...fresh?.querySelectorAll(".scroll, .stages, pre") ?? []].forEach((one, place) => {
      [one.scrollLeft, one.scrollTop] = scrolled[place] ?? [0, 0];
    });
    if (window.scrollY !== top) window.scrollTo({ top, behavior: "instant" });
    for (const one of opened) document.getElementById(one)?.setAttribute("open", "");
    for (const { id, value } of typed) { const field = document.getElementById(id); if (field) field.value = value; }
    const same = link && [...fresh?.querySelectorAll("a[href]") ?? []].find((one) => one.getAttribute("href") === link);
    if (focused) focus(same || (document.getElementById(focused) ?? fresh));
    times();
    stops();
  };
  // Where the focus was is gone: it stays in the part around that, so that the next Tab goes on from there.
  const focus = (one) => {
    if (one && one.tabIndex < 0) one.tabIndex = -1;
    one?.focus({ preventScroll: true });
  };
  setInterval(() => { for (const [id, html] of waiting) replace({ id, html }); }, 1000);
  // A page in the background needs no events.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) events.close(); else if (events.readyState === EventSource.CLOSED) open();
  });
  open();
}

// Times in words go on while a page is open, by the rule of the server: units with the smallest number of seconds that is written in each.
const units = [[31557600, 63115200, "year"], [2629800, 5259600, "month"], [86400, 172800, "day"], [3600, 5400, "hour"], [60, 90, "minute"], [1, 5, "second"]];
function words(seconds) {
  const far = Math.abs(seconds), unit = units.find(([, least]) => far >= least);
  if (!unit) return "now";
  const [size, , name] = unit, count = Math.floor((far + Math.floor(size / 2)) / size);
  const text = `${count} ${name}${count === 1 ? "" : "s"}`;
  return seconds > 0 ? `in ${text}` : `${text} ago`;
}
function times() {
  for (const time of document.querySelectorAll("time[data-relative]")) {
    time.textContent = words(Math.trunc((Date.parse(time.dateTime) - Date.now()) / 1000));
  }
}
setInterval(times, 1000);

// A notice is said once: the address that is loaded again, or passed on, is without it. So is the form that created a token sent once.
const address = new URL(location.href), reload = document.querySelector("[data-reload]")?.dataset.reload;
if (address.searchParams.has("notice")) {
  address.searchParams.delete("notice");
  history.replaceState(null, "", address);
} else if (reload) history.replaceState(null, "", reload);

// On a narrow screen, the marked entry of a navigation and the present time of the timeline are in sight.
for (const entry of document.querySelectorAll("nav [aria-current]")) {
  const nav = entry.closest("nav");
  nav.scrollLeft = entry.offsetLeft - nav.offsetLeft - (nav.clientWidth - entry.offsetWidth) / 2;
}
const now = document.querySelector(".timeline .now"), picture = now?.closest(".scroll");
if (picture) picture.scrollLeft += now.getBoundingClientRect().left - picture.getBoundingClientRect().left - picture.clientWidth / 2;

// What has to be scrolled sideways can be scrolled with the keyboard.
function stops() {
  for (const one of document.querySelectorAll(".scroll, .stages, pre")) {
    const isWide = one.scrollWidth > one.clientWidth;
    if (isWide && !one.hasAttribute("tabindex")) one.tabIndex = 0;
  }
}
stops();
window.addEventListener("resize", stops);

// Buttons that cannot be undone ask first.
document.addEventListener("submit", (event) => {
  const chosen = event.target.querySelector("option[data-confirm]:checked");
  const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm ?? chosen?.dataset.confirm;
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

// A log that is being written: new lines are added to it, and old ones leave the page, so that a long one stays smooth.
const log = document.getElementById("log");
const KEPT = 5000;
if (log?.dataset.log && window.EventSource) {
  let lines, last = "", over = false;
  const connect = () => {
    lines = new EventSource(last ? log.dataset.log.replace(/after=\d+/, `after=${last}`) : log.dataset.log);
    lines.addEventListener("lines", (event) => { last = event.lastEventId; append(JSON.parse(event.data).html); });
    lines.addEventListener("end", () => { over = true; lines.close(); });
  };
  const append = (html) => {
    if (html) document.getElementById("no-lines")?.remove();
    log.insertAdjacentHTML("beforeend", html);
    const surplus = log.childElementCount - KEPT;
    for (let count = 0; count < surplus; count++) log.firstElementChild.remove();
    const earlier = document.getElementById("earlier"), first = log.firstElementChild;
    if (surplus > 0 && earlier && first) {
      const base = earlier.dataset.base;
      earlier.href = `${base}${base.includes("?") ? "&" : "?"}before=${first.id.slice(1)}`;
      earlier.hidden = false;
    }
    if (document.getElementById("follow")?.checked) log.scrollTop = log.scrollHeight;
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) lines.close(); else if (!over && lines.readyState === EventSource.CLOSED) connect();
  });
  connect();
}
if (log && !location.hash && !/[?&]from=/.test(location.search)) log.scrollTop = log.scrollHeight;
// The line of a link may be on another page of the log.
if (log && /^#L\d+$/.test(location.hash) && !document.getElementById(location.hash.slice(1))) {
  const base = log.dataset.path, line = Number(location.hash.slice(2));
  if (!/[?&]from=/.test(location.search)) location.replace(`${base}${base.includes("?") ? "&" : "?"}from=${Math.max(1, line - 20)}${location.hash}`);
}

// A form with a preview asks for it while somebody types.
for (const form of document.querySelectorAll("form[data-preview]")) {
  let timer;
  form.addEventListener("input", (event) => {
    if (!event.target.matches("[data-previewed]")) return;
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const query = new URLSearchParams();
      for (const field of form.querySelectorAll("[data-previewed]")) query.append(field.name, field.value);
      const answer = await fetch(`${form.dataset.preview}?${query}`).catch(() => null);
      const shown = document.getElementById("preview");
      if (answer?.ok && shown) { shown.outerHTML = await answer.text(); times(); }
    }, 300);
  });
}

// A file that is chosen fills the field that is sent.
for (const chooser of document.querySelectorAll("input[type=file][data-into]")) {
  chooser.addEventListener("change", async () => {
    const into = document.getElementById(chooser.dataset.into);
    if (into && chooser.files[0]) into.value = await chooser.files[0].text();
  });
}

// A form that is sent after the session has ended is not accepted. What was typed is kept in this tab until its page is loaded again by the
// same person, without secrets.
const KEY = "windlass-form";
const viewer = document.querySelector(".me a")?.textContent ?? "";
const kept = () => { try { return JSON.parse(sessionStorage.getItem(KEY)); } catch { return null; } };
const keep = (form) => { try { form ? sessionStorage.setItem(KEY, JSON.stringify(form)) : sessionStorage.removeItem(KEY); } catch { /* It is lost, as without script. */ } };
const isKept = (field) => field.name && !field.matches("[type=password], [type=file], [type=submit], [type=hidden]:not([data-kept]), [data-secret]");
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || location.pathname.endsWith("/sign-in")) return;
  const fields = form.closest("main") ? [...form.elements].filter(isKept) : [];
  const values = fields.map((field) => [field.name, field.value, field.type, field.checked ?? false]);
  keep(values.length ? { path: location.pathname + location.search, action: form.getAttribute("action"), viewer, values } : null);
});
const unsent = kept();
if (unsent && location.pathname.endsWith("/sign-in")) {
  if (/[?&]ended=form/.test(location.search)) unsent.ended = true;
  if (unsent.ended) {
    keep(unsent);
    for (const next of document.querySelectorAll("input[name=next]")) next.value = unsent.path;
    for (const link of document.querySelectorAll("a[href*='/sign-in/oidc?']")) link.href = link.href.replace(/next=.*/, `next=${encodeURIComponent(unsent.path)}`);
  }
} else if (unsent && (!unsent.ended || (viewer && viewer !== unsent.viewer))) {
  keep(null);
} else if (unsent && unsent.path === location.pathname + location.search) {
  const form = [...document.querySelectorAll("main form")].find((one) => one.method === "post" && one.getAttribute("action") === unsent.action);
  const seen = new Map();
  for (const [name, value, type, checked] of form ? unsent.values : []) {
    const place = seen.get(name) ?? 0;
    seen.set(name, place + 1);
    const all = [...form.elements].filter((field) => field.name === name && isKept(field));
    const field = type === "checkbox" || type === "radio" ? all.find((one) => one.value === value) : all[place];
    if (!field) continue;
    if (type === "checkbox" || type === "radio") field.checked = checked; else field.value = value;
    field.closest("details")?.setAttribute("open", "");
  }
  keep(null);
  if (form) {
    const said = document.createElement("p");
    said.className = "notice";
    said.setAttribute("role", "status");
    said.textContent = "The form was not sent. What you had typed is filled in again, except for secrets.";
    form.before(said);
  }
}
