/* Asking: what looks alike while the title is typed, and words that fit the kind. Everything works without this. */
(() => {
  "use strict";
  const form = document.getElementById("ask");
  if (!form) return;
  const title = form.querySelector("[data-matches]");
  const matches = document.getElementById("matches");
  const least = Number(title?.dataset.matches) || 10;

  /* Too few letters ask nothing, and what was found for more of them goes. */
  title?.addEventListener("htmx:configRequest", (event) => {
    const words = title.value.trim();
    event.detail.parameters.q = words;
    delete event.detail.parameters.title;
  });
  title?.addEventListener("htmx:beforeRequest", (event) => {
    if (title.value.trim().length >= least) return;
    event.preventDefault();
    if (matches) matches.replaceChildren();
  });
  /* A match that does not come costs nobody anything: no message. */
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    title?.addEventListener(name, (event) => event.stopPropagation());
  }

  const words = form.querySelector("[data-words]")?.dataset;
  const label = form.querySelector("label[for=id_body]");
  const button = form.querySelector("[data-post]");
  const signedIn = Boolean(form.querySelector("[data-draft-url]"));
  form.addEventListener("change", (event) => {
    if (event.target.name !== "kind" || !words) return;
    const kind = event.target.value;
    if (label && words[kind]) label.textContent = words[kind];
    const post = words[`post${kind[0].toUpperCase()}${kind.slice(1)}`];
    if (button && post && signedIn) button.textContent = post;
  });
})();
