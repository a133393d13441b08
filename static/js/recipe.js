/* A recipe at the stove: amounts that scale, ingredients that tick off, timers that call. The page reads well without.

   Scaling: <form data-scaler data-base="2"> holds inputs named "servings"; every [data-amount="18"] is rewritten,
   [data-servings] shows the number. Ticks: [data-ticks="recipe-12"] around checkboxes. Timers:
   <button data-timer-minutes="4" data-word-left="%s left" data-word-done="Time is up" data-timer-label="Steep">. */
(() => {
  "use strict";
  const say = (kind, detail) => document.body.dispatchEvent(new CustomEvent(kind, { detail }));
  const language = document.documentElement.lang || "en";

  /* ---- amounts ---- */
  function amount(value) {
    // A scale shows tenths of a gram up to twenty; beyond that nobody weighs them.
    const digits = value < 20 && value % 1 ? 1 : 0;
    return new Intl.NumberFormat(language, { maximumFractionDigits: value < 1 ? 2 : digits }).format(value);
  }
  document.querySelectorAll("form[data-scaler]").forEach((form) => {
    const base = Number(form.dataset.base) || 1;
    const scale = () => {
      const chosen = form.querySelector("[name=servings]:checked") || form.querySelector("[name=servings]:not([type=radio])");
      const servings = Number(chosen?.value);
      if (!(servings > 0 && servings <= 100)) return;
      document.querySelectorAll("[data-amount]").forEach((cell) => {
        const value = Number(cell.dataset.amount);
        if (Number.isFinite(value)) cell.textContent = amount((value * servings) / base);
      });
      document.querySelectorAll("[data-servings]").forEach((cell) => { cell.textContent = amount(servings); });
      const url = new URL(location.href);
      if (servings === base) url.searchParams.delete("servings"); else url.searchParams.set("servings", servings);
      history.replaceState(null, "", url);
      if (form.dataset.wordScaled) say("announce", { value: form.dataset.wordScaled.replace("%s", amount(servings)) });
    };
    form.addEventListener("change", scale);
    form.addEventListener("submit", (event) => { event.preventDefault(); scale(); });
    form.querySelectorAll("button[data-step]").forEach((button) => button.addEventListener("click", (event) => {
      event.preventDefault();
      const field = form.querySelector("input[name=servings]");
      field.value = Math.min(Math.max((Number(field.value) || base) + Number(button.dataset.step), 1), 100);
      scale();
    }));
  });

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
