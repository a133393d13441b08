/* A recipe at the stove: amounts that scale, ingredients that tick off, timers that call. The page reads well without.

   Scaling: <form data-scaler data-base="2"> holds a [data-servings-field] and buttons with data-step; every
   [data-amount="18"] (data-high, data-rest, data-broken, data-written) is rewritten. Ticks: [data-ticks="recipe-12"] around checkboxes. Timers:
   <button data-timer-minutes="4" data-word-left="%s left" data-word-done="Time is up" data-timer-label="Steep">. */
(() => {
  "use strict";
  const say = (kind, detail) => document.body.dispatchEvent(new CustomEvent(kind, { detail }));

  /* ---- amounts: as community/sharing/amounts.py writes them ---- */
  const parts = [[0, ""], [0.125, "⅛"], [0.25, "¼"], [1 / 3, "⅓"], [0.5, "½"], [2 / 3, "⅔"], [0.75, "¾"], [1, ""]];
  function amount(value, broken) {
    if (broken && value < 20) {
      const whole = Math.floor(value), rest = value - whole;
      const [near, sign] = parts.reduce((best, part) => (Math.abs(part[0] - rest) < Math.abs(best[0] - rest) ? part : best));
      if (Math.abs(near - rest) <= 0.02 * Math.max(1, whole)) {
        const full = whole + (near === 1 ? 1 : 0);
        if (full || sign) return `${full || ""}${sign}`;
      }
    }
    if (!(value > 0)) return "0";
    // Three digits that mean something are more than a kitchen can weigh.
    const digits = Math.min(Math.max(0, 2 - Math.floor(Math.log10(value))), 2);
    return String(Number(value.toFixed(digits)));
  }
  function scaled(cell, factor) {
    const low = Number(cell.dataset.amount), broken = "broken" in cell.dataset;
    if (!Number.isFinite(low) || factor === 1) return cell.dataset.written;
    const first = amount(low * factor, broken);
    if (!cell.dataset.high) return first + (cell.dataset.rest || "");
    const last = amount(Number(cell.dataset.high) * factor, broken);
    return first === last ? first : `${first}–${last}`;
  }
  document.querySelectorAll("form[data-scaler]").forEach((form) => {
    const base = Number(form.dataset.base) || 1;
    const field = form.querySelector("[data-servings-field]");
    const most = 100;
    const scale = (wanted) => {
      const servings = Math.min(wanted, most);
      if (!(servings > 0)) { field.value = amount(base, false); return; }
      field.value = amount(servings, false);
      document.querySelectorAll("[data-amount]").forEach((cell) => { cell.textContent = scaled(cell, servings / base); });
      const url = new URL(location.href);
      if (servings === base) url.searchParams.delete("servings"); else url.searchParams.set("servings", servings);
      history.replaceState(null, "", url);
      if (form.dataset.wordScaled) say("announce", { value: form.dataset.wordScaled.replace("%s", amount(servings, false)) });
    };
    const typed = () => Number(field.value.replace(",", "."));
    field.addEventListener("change", () => scale(typed()));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const step = Number(event.submitter?.dataset.step || 0);
      // Enter in the field presses the first button: that is no wish for one less.
      if (document.activeElement === field) scale(typed()); else scale(Math.max((typed() || base) + step, step < 0 ? 1 : 0));
    });
  });
  document.querySelectorAll("[data-print]").forEach((button) => button.addEventListener("click", () => print()));

  /* ---- ticks: kept for this visit ---- */
  document.querySelectorAll("[data-ticks]").forEach((list) => {
    const key = `ticks:${list.dataset.ticks}`;
    const boxes = [...list.querySelectorAll("input[type=checkbox]")];
    try { (JSON.parse(sessionStorage.getItem(key)) || []).forEach((i) => { if (boxes[i]) boxes[i].checked = true; }); } catch (_) { /* nothing kept */ }
    list.addEventListener("change", () => {
      try { sessionStorage.setItem(key, JSON.stringify(boxes.flatMap((box, i) => (box.checked ? [i] : [])))); } catch (_) { /* for this page only */ }
    });
  });

  /* ---- timers ---- */
  let lock = null;
  let running = 0;
  async function awake(on) {
    running += on ? 1 : -1;
    try {
      if (running > 0 && !lock && navigator.wakeLock) lock = await navigator.wakeLock.request("screen");
      if (running <= 0 && lock) { await lock.release(); lock = null; }
    } catch (_) { lock = null; }
  }
  function ring(sound) {
    if (!sound) return;
    [0, 0.35, 0.7].forEach((at) => {
      const tone = sound.createOscillator(), volume = sound.createGain();
      tone.frequency.value = 740;
      volume.gain.setValueAtTime(0.2, sound.currentTime + at);
      volume.gain.exponentialRampToValueAtTime(0.001, sound.currentTime + at + 0.3);
      tone.connect(volume).connect(sound.destination);
      tone.start(sound.currentTime + at);
      tone.stop(sound.currentTime + at + 0.3);
    });
  }
  const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  document.querySelectorAll("button[data-timer-minutes]").forEach((button) => {
    const text = button.querySelector("[data-timer-text]") || button;
    const resting = text.textContent;
    let tick = 0, sound = null;
    const stop = () => { clearInterval(tick); tick = 0; text.textContent = resting; button.setAttribute("aria-pressed", "false"); awake(false); };
    button.setAttribute("aria-pressed", "false");
    button.hidden = false;
    button.addEventListener("click", () => {
      if (tick) { stop(); return; }
      const end = Date.now() + Number(button.dataset.timerMinutes) * 60000;
      try { sound = new AudioContext(); } catch (_) { sound = null; }
      button.setAttribute("aria-pressed", "true");
      awake(true);
      const show = () => {
        const left = Math.ceil((end - Date.now()) / 1000);
        if (left > 0) { text.textContent = (button.dataset.wordLeft || "%s").replace("%s", clock(left)); return; }
        stop();
        ring(sound);
        say("toast", { message: [button.dataset.timerLabel, button.dataset.wordDone].filter(Boolean).join(": ") });
      };
      tick = setInterval(show, 250);
      show();
    });
  });
})();
