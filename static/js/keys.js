/* Single keys, for those who like them: j k a v c on a thread, / and ? everywhere. Never while somebody types, and off
   in the settings (or in this browser, for visitors). Pages work without it. */
(() => {
  "use strict";
  const kept = () => { try { return localStorage.getItem("keys"); } catch (_) { return null; } };
  const member = () => "member" in document.body.dataset;
  const off = () => (member() ? document.body.dataset.keys === "off" : kept() === "off");
  const typing = (element) => element.closest?.("input:not([type=checkbox]):not([type=radio]):not([type=submit]):not([type=button]), textarea, select, [contenteditable], [role=listbox]");

  const posts = () => [...document.querySelectorAll("#thread .post")];
  let last = null;
  function current() {
    const all = posts();
    return document.activeElement.closest?.("#thread .post") || (last && all.includes(document.getElementById(last)) ? document.getElementById(last) : null);
  }
  function move(step) {
    const all = posts();
    if (!all.length) return;
    const here = current();
    const next = here ? all[Math.min(all.length - 1, Math.max(0, all.indexOf(here) + step))] : all[step > 0 ? 0 : all.length - 1];
    last = next.id;
    next.setAttribute("tabindex", "-1");
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "start" });
  }
  function answer() {
    const box = document.getElementById("answer");
    if (!box) return;
    const area = box.querySelector("textarea");
    if (!area) box.setAttribute("tabindex", "-1");
    (area || box).focus();
    box.scrollIntoView({ block: "nearest" });
  }
  function comment() {
    const post = current() || posts()[0];
    const box = post?.querySelector(".commenting");
    if (box) { box.open = true; box.querySelector("textarea").focus(); } else post?.querySelector(".comments > a")?.focus();
  }
  function search() {
    const field = document.querySelector("main input[type=search]") || document.getElementById("site-q");
    if (field && field.offsetParent) { field.focus(); field.select(); } else location.assign("/search/");
  }
  const acts = {
    j: () => move(1), k: () => move(-1), a: answer, c: comment, "/": search, "?": () => sheet(),
    v: () => (current() || posts()[0])?.querySelector(".vote button")?.click(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || off()) return;
    if (typing(event.target) || document.querySelector("dialog[open]")) return;
    const act = acts[event.key];
    if (!act || (!document.getElementById("thread") && !"/?".includes(event.key))) return;
    event.preventDefault();
    act();
  });

  /* ---- the sheet ---- */
  async function sheet() {
    const link = document.querySelector("[data-keys-sheet]");
    if (!link) return;
    let html;
    try {
      const response = await fetch(`${link.getAttribute("href")}?sheet=1`, { credentials: "same-origin" });
      if (!response.ok) throw new Error(response.statusText);
      html = await response.text();
    } catch (_) { location.assign(link.href); return; }
    const box = document.createElement("dialog");
    box.className = "dialog keys";
    box.setAttribute("aria-labelledby", "keys-h");
    box.innerHTML = html;
    const next = box.querySelector("[name=next]");
    if (next) next.value = location.pathname + location.search;
    prepare(box);
    box.addEventListener("close", () => box.remove()); // the browser has given the focus back by then
    box.addEventListener("click", (event) => { if (event.target === box) box.close(); });
    document.body.append(box);
    box.showModal();
  }
  function prepare(root) {
    const choice = root.querySelector("[data-keys-here]");
    if (!choice) return;
    choice.hidden = false;
    const field = choice.querySelector("input");
    field.checked = kept() !== "off";
    field.addEventListener("change", () => { try { localStorage.setItem("keys", field.checked ? "on" : "off"); } catch (_) { /* this visit only */ } });
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-keys-sheet]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    sheet();
  });
  prepare(document);
})();
