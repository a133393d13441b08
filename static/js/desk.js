// The desk's keys and numbers. One letter without a modifier, outside of fields; everything works without this file.
(() => {
  "use strict";
  const desk = document.querySelector(".dsk:not(dialog)");
  const off = () => Boolean(document.querySelector(".dsk[data-keys=off]"));
  const typing = (target) => target.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");

  /* ---- rows of a queue: j k x ---- */
  const rows = () => [...document.querySelectorAll("[data-row]")];
  const here = () => document.activeElement.closest?.("[data-row]");
  function move(step) {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(here());
    const next = at < 0 ? all[step > 0 ? 0 : all.length - 1] : all[Math.min(all.length - 1, Math.max(0, at + step))];
    next.querySelector("th a, h2 a").focus();
    next.scrollIntoView({ block: "nearest" });
  }
  function pick() {
    const box = (here() || rows()[0])?.querySelector("input[type=checkbox]");
    if (!box) return;
    if (!here()) box.closest("[data-row]").querySelector("th a, h2 a").focus();
    box.checked = !box.checked;
    box.dispatchEvent(new Event("change", { bubbles: true }));
  }
  const sheet = document.getElementById("dsk-keys");
  function show() {
    sheet?.showModal(); // the browser gives the focus back as it closes: a "close" event comes later, perhaps after the next key
  }
  const moves = {
    j: () => move(1), k: () => move(-1), x: pick, "?": show,
    "/": () => document.querySelector("[data-search]")?.focus(),
  };

  // Escape closes the form that a key has opened; what was typed in it stays.
  document.addEventListener("keydown", (event) => {
    const open = event.key === "Escape" && !event.defaultPrevented && !event.isComposing && event.target.closest?.(".dsk-act[open]");
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    // A sheet that was just closed may have the focus until the page is drawn again: only an open one keeps keys to itself.
    if (off() || typing(event.target) || document.querySelector("dialog[open]")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : "";
    if (!key) return;
    if (moves[key] && (rows().length || ((key === "?" || key === "/") && desk))) {
      if (key === "?" && !sheet) return;
      event.preventDefault();
      event.stopImmediatePropagation(); // the admin has a sheet of its own for "?", and a search for "/"
      moves[key]();
      return;
    }
    if (!/^[a-z]$/.test(key)) return;
    const press = document.querySelector(`[data-key="${key}"]`);
    const write = document.querySelector(`[data-focus="${key}"]`);
    if (press) {
      event.preventDefault();
      press.click();
      if (press.matches("summary")) press.parentElement.querySelector("textarea, select, input:not([type=hidden])")?.focus();
    } else if (write) {
      event.preventDefault();
      write.closest("details")?.setAttribute("open", ""); // an answer once more is folded away
      write.form.querySelector("textarea")?.focus();
    }
  }, true);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-sheet]");
    if (!link || !sheet || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show();
  });

  /* ---- filters stand open where there is room ---- */
  const narrow = document.querySelector("[data-narrow]");
  if (narrow && matchMedia("(min-width: 50rem)").matches) narrow.open = true;

  /* ---- choosing ---- */
  const all = document.querySelector("[data-pick-all]");
  const picked = document.querySelector("[data-picked]");
  const bar = document.getElementById("bulk");
  const boxes = () => [...document.querySelectorAll("[data-row] input[type=checkbox]")];
  function count() {
    if (!bar || !picked) return;
    const n = boxes().filter((box) => box.checked).length;
    bar.classList.toggle("is-idle", !n);
    picked.dataset.words ??= picked.textContent;
    picked.textContent = `${picked.dataset.words} ${n}`;
    if (all) { all.checked = n > 0 && n === boxes().length; all.indeterminate = n > 0 && n < boxes().length; }
  }
  if (all) {
    all.hidden = false;
    all.addEventListener("change", () => { boxes().forEach((box) => { box.checked = all.checked; }); count(); });
  }
  document.addEventListener("change", (event) => { if (event.target.closest?.("[data-row]")) count(); });
  window.addEventListener("pageshow", count);
  count();

  /* ---- numbers, while somebody looks ---- */
  const address = desk?.dataset.poll;
  const EVERY = 20000;
  async function ask() {
    if (document.hidden) return;
    try {
      const response = await fetch(address, { credentials: "same-origin", headers: { Accept: "application/json" } });
      if (!response.ok || !(response.headers.get("Content-Type") || "").includes("json")) return;
      const numbers = await response.json();
      document.querySelectorAll("[data-count]").forEach((place) => {
        const now = numbers[place.dataset.count];
        if (now === undefined || place.textContent === now) return;
        place.textContent = now;
        if (place.dataset.count === desk.dataset.queue) document.querySelector(".dsk-changed")?.removeAttribute("hidden");
      });
    } catch (_) { /* the next time */ }
  }
  if (address) {
    setInterval(ask, EVERY);
    document.addEventListener("visibilitychange", ask);
  }

})();
