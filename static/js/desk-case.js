// One case: drafts and the claim while somebody writes, saved replies, similar threads. Everything works without this file.
(() => {
  "use strict";
  const answer = document.getElementById("act-official");
  const token = () => document.querySelector("[name=csrfmiddlewaretoken]")?.value || "";

  /* ---- threads like this one, after the page ---- */
  const place = document.querySelector("[data-alike]");
  if (place) {
    fetch(place.dataset.alike, { credentials: "same-origin", headers: { Accept: "text/html-fragment" } })
      .then((response) => (response.ok ? response.text() : Promise.reject(new Error(response.status))))
      .then((html) => {
        place.innerHTML = html;
        // What came back with a refused answer is ticked where it can be unticked again.
        answer?.querySelectorAll("input[type=hidden][name=threads]").forEach((kept) => {
          const box = place.querySelector(`input[name=threads][value="${CSS.escape(kept.value)}"]`);
          if (box) { box.checked = true; kept.remove(); }
        });
      })
      .catch(() => { /* the link stays */ });
  }
  if (!answer) return;
  const field = answer.querySelector("[data-draft]");
  const kept = answer.querySelector("[data-kept]");

  /* ---- a saved reply, where the cursor is ---- */
  const choice = document.querySelector("[data-replies]");
  document.querySelector("[data-insert]")?.addEventListener("click", (event) => {
    const option = choice?.selectedOptions[0];
    if (!option || !option.value) { event.preventDefault(); choice?.focus(); return; }
    event.preventDefault();
    const [start, end] = [field.selectionStart, field.selectionEnd];
    field.setRangeText(option.dataset.text, start, end, "end");
    const hidden = answer.querySelector("[data-reply]");
    if (hidden) hidden.value = option.value;
    field.focus();
    const gap = /\[[^\]\n]+\](?![([:])/.exec(field.value.slice(start));
    if (gap) field.setSelectionRange(start + gap.index, start + gap.index + gap[0].length);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });

  /* ---- the claim: from the first letter on, renewed while somebody writes ---- */
  const RENEW = 240000, AGAIN = 30000;
  const told = document.querySelector("[data-claim]");
  let claimed = 0;
  async function claim() {
    if (Date.now() - claimed < RENEW) return;
    claimed = Date.now();
    try {
      const response = await fetch(answer.dataset.claimTo, {
        method: "POST", credentials: "same-origin",
        headers: { Accept: "application/json", "X-CSRFToken": token() },
      });
      const said = await response.json();
      if (!response.ok) claimed -= RENEW - AGAIN; // a colleague may have finished by then
      if (told) { told.textContent = said.said || said.error; told.classList.toggle("dsk-late", !response.ok); }
    } catch (_) { claimed -= RENEW - AGAIN; }
  }
  document.querySelectorAll("[data-claims]").forEach((box) => box.addEventListener("input", claim));

  /* ---- drafts ---- */
  let waiting, underway;
  const say = (words) => { if (kept) kept.textContent = words || ""; };
  async function keep() {
    const data = new FormData(), all = new FormData(answer);
    ["body", "sources", "recheck_on", "promise_on", "department"].forEach((name) => data.append(name, all.get(name) || ""));
    underway = new AbortController();
    try {
      const response = await fetch(answer.dataset.draftTo, {
        method: "POST", credentials: "same-origin", body: data, headers: { "X-CSRFToken": token() }, signal: underway.signal,
      });
      // Who is signed out is sent to a page that answers 200.
      say(response.ok && !response.redirected ? kept?.dataset.words : kept?.dataset.lost);
    } catch (problem) { if (problem.name !== "AbortError") say(kept?.dataset.lost); }
  }
  answer.addEventListener("input", () => { say(""); clearTimeout(waiting); waiting = setTimeout(keep, 1500); });
  // What is sent is no draft any more; what came back refused, or to be looked at, is one.
  answer.addEventListener("submit", () => { clearTimeout(waiting); underway?.abort(); });
  if (field?.value && (answer.querySelector(".dsk-error") || document.getElementById("preview"))) keep();

  /* ---- Ctrl or Cmd with Enter sends what somebody writes ---- */
  const sent = new Set(); // once, however long the answer takes
  document.addEventListener("submit", (event) => { sent.add(event.target); });
  window.addEventListener("pageshow", () => sent.clear());
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    const form = event.target.closest?.("textarea")?.form;
    if (!form || !form.closest(".dsk")) return;
    event.preventDefault();
    if (event.repeat || sent.has(form)) return;
    form.requestSubmit(form.querySelector("[data-send], button:not([name]):not([type=button])"));
  });
  document.getElementById("preview")?.focus();
})();
