/* The outbox works without this file; with it, pages follow what happens, tabs switch and times read well. */
(() => {
  "use strict";
  const POLL_MS = 1200;
  const root = document.documentElement;
  root.classList.add("js");

  const short = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
  const dated = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
  const long = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const exact = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });

  function tellTimes(within) {
    for (const time of within.querySelectorAll("time[datetime]")) {
      const at = new Date(time.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      time.title = at.toString();
      if ("exact" in time.dataset) time.textContent = exact.format(at);
      else if ("short" in time.dataset) time.textContent = (Date.now() - at < 864e5 ? short : dated).format(at);
      else time.textContent = long.format(at);
    }
  }

  /* Take over the parts of a freshly fetched page that may have changed; the frame with the mail is not one of them,
     so that following along never counts as another open. */
  function adopt(fresh) {
    root.dataset.revision = fresh.documentElement.dataset.revision;
    for (const part of document.querySelectorAll("[data-live]")) {
      const news = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
      if (!news || part.contains(document.activeElement) && document.activeElement.matches("input, select")) continue;
      tellTimes(news);
      if (part.innerHTML === news.innerHTML) continue;
      const open = new Set([...part.querySelectorAll("details[open]")].map((one) => one.dataset.key));
      const known = new Set([...part.querySelectorAll("a[data-key]")].map((one) => one.dataset.key));
      const bubbles = part.querySelectorAll(".bubble").length;
      const low = part.scrollHeight - part.scrollTop - part.clientHeight < 40;
      const focused = part.contains(document.activeElement) ? document.activeElement.closest("[data-key]")?.dataset.key : null;
      part.innerHTML = news.innerHTML;
      for (const one of part.querySelectorAll("details")) one.open = open.has(one.dataset.key);
      for (const one of part.querySelectorAll("a[data-key]")) if (!known.has(one.dataset.key)) one.classList.add("new");
      if (focused) part.querySelector(`details[data-key="${focused}"] summary, a[data-key="${focused}"]`)?.focus({ preventScroll: true });
      if (part.dataset.live === "bubbles" && low && part.querySelectorAll(".bubble").length > bubbles) part.scrollTop = part.scrollHeight;
    }
  }

  async function look(address, seen) {
    const headers = seen ? { "X-Seen-Revision": root.dataset.revision } : {};
    const answer = await fetch(address, { headers, cache: "no-store" });
    if (answer.status === 200) adopt(new DOMParser().parseFromString(await answer.text(), "text/html"));
    return answer.ok;
  }

  let looking = false;
  async function follow() {
    if (looking || document.hidden) return;
    looking = true;
    try {
      root.classList.toggle("lost", !(await look(location.href, true)));
    } catch {
      root.classList.add("lost");
    } finally {
      looking = false;
    }
  }

  function choose(panel) {
    for (const tab of document.querySelectorAll("[data-tabs] [data-panel]"))
      tab.setAttribute("aria-selected", String(tab.dataset.panel === panel));
    for (const one of document.querySelectorAll(".panel")) one.hidden = one.dataset.panel !== panel;
    const widths = document.querySelector("[data-widths]");
    if (widths) widths.hidden = panel !== "html";
  }

  function prepareTabs() {
    const tabs = document.querySelector("[data-tabs]");
    if (!tabs) return;
    tabs.addEventListener("click", (event) => {
      const tab = event.target.closest("[data-panel]");
      if (tab) choose(tab.dataset.panel);
    });
    choose(tabs.querySelector("[data-panel]").dataset.panel);
  }

  function prepareWidths() {
    const widths = document.querySelector("[data-widths]");
    if (!widths) return;
    widths.addEventListener("click", (event) => {
      const chosen = event.target.closest("[data-width]");
      if (!chosen) return;
      for (const one of widths.querySelectorAll("[data-width]")) one.setAttribute("aria-pressed", String(one === chosen));
      document.querySelector(".screen").classList.toggle("narrow", chosen.dataset.width === "phone");
    });
  }

  function prepareSearch() {
    const form = document.querySelector("[data-search]");
    if (!form) return;
    let waiting = 0;
    const search = () => {
      const asked = new URLSearchParams(new FormData(form));
      if (!asked.get("q")) asked.delete("q");
      const query = asked.size ? `?${asked}` : "";
      history.replaceState(null, "", location.pathname + query);
      look(location.href, false);
    };
    form.addEventListener("submit", (event) => { event.preventDefault(); search(); });
    form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(search, 180); });
  }

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.dataset.confirm && !confirm(form.dataset.confirm)) return event.preventDefault();
    if (!("quiet" in form.dataset) && !("reply" in form.dataset)) return;
    event.preventDefault();
    const sent = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form, event.submitter)) });
    form.closest("details")?.removeAttribute("open");
    if (sent.ok && "reply" in form.dataset) { form.reset(); form.querySelector("input").focus(); }
    if (sent.ok) await look(location.href, false);
    if (sent.ok && "reply" in form.dataset && bubbles) bubbles.scrollTop = bubbles.scrollHeight;
  });

  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]"))
      if (!menu.contains(event.target)) menu.removeAttribute("open");
  });

  tellTimes(document);
  prepareTabs();
  prepareWidths();
  prepareSearch();
  const bubbles = document.querySelector('[data-live="bubbles"]');
  if (bubbles) bubbles.scrollTop = bubbles.scrollHeight;
  const current = document.querySelector(".row.current");
  if (current) current.scrollIntoView({ block: "nearest" });
  setInterval(follow, POLL_MS);
  document.addEventListener("visibilitychange", follow);
})();
