/* A thread: after htmx put a new version of it in place, show what was just written. Everything works without this. */
(() => {
  "use strict";
  document.body.addEventListener("goto", (event) => {
    const place = document.getElementById(event.detail.id);
    if (!place) return;
    history.replaceState(history.state, "", `#${event.detail.id}`);
    place.scrollIntoView({ block: "start" });
    place.setAttribute("tabindex", "-1");
    place.focus({ preventScroll: true });
  });
  /* The box to comment in takes the focus when it is opened, and its place stays. */
  document.addEventListener("toggle", (event) => {
    const box = event.target;
    if (box instanceof HTMLDetailsElement && box.open && box.matches(".commenting")) box.querySelector("textarea")?.focus();
  }, true);
})();
