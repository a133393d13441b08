/* Asking: what looks alike while the title is typed, and words that fit the kind. Everything works without this. */
(() => {
  "use strict";
  /* The page that asking ends with: a title that found its thread is no draft any longer. */
  if (document.querySelector("[data-settled]")) {
    try {
      for (const key of Object.keys(localStorage)) {
        if (key !== "draft:ask" && !key.startsWith("draft:ask@")) continue;
        if (!(JSON.parse(localStorage.getItem(key)).fields.body || [""])[0].trim()) localStorage.removeItem(key);
      }
    } catch (_) { /* no storage here */ }
    return;
  }
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
  /* Return in the title posts nothing half written: the matches are next, or else the rest of the form. */
  title?.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    (matches?.querySelector("summary") || form.querySelector("[name=kind]:checked") || form.querySelector("#id_body"))?.focus();
  });
  /* What was typed before this ran, or came back with a draft, is looked at, too. */
  const suggested = form.querySelector("#suggested");
  const area = form.querySelector("#id_body");
  addEventListener("load", () => {
    if (!window.htmx) return;
    if (title && !matches?.childElementCount && title.value.trim().length >= least) window.htmx.trigger(title, "look");
    if (suggested && !suggested.childElementCount && (title?.value || area?.value)) window.htmx.trigger(suggested, "look");
  });
  /* A tag that was ticked while others were looked for stays ticked. */
  let ticked = [];
  suggested?.addEventListener("htmx:beforeSwap", () => {
    ticked = [...suggested.querySelectorAll("input:checked")].map((input) => input.value);
  });
  suggested?.addEventListener("htmx:afterSwap", () => {
    for (const input of suggested.querySelectorAll("input")) if (ticked.includes(input.value)) input.checked = true;
  });
  /* A match or a suggestion that does not come costs nobody anything: no message. */
  for (const quiet of [title, suggested]) {
    for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
      quiet?.addEventListener(name, (event) => event.stopPropagation());
    }
  }

  const words = form.querySelector("[data-words]")?.dataset;
  const label = form.querySelector("label[for=id_body]");
  const button = form.querySelector("[data-post]");
  const signedIn = Boolean(form.querySelector("[data-draft-url]"));
  const version = form.querySelector("[name=model_version]");
  const serial = form.querySelector("[name=serial]");
  let numbered = serial?.value || "";
  let offered = version?.value || "";
  form.addEventListener("change", (event) => {
    const kind = form.querySelector("[name=kind]:checked")?.value;
    if (kind && words) {
      if (label && words[kind]) label.textContent = words[kind];
      const post = words[`post${kind[0].toUpperCase()}${kind.slice(1)}`];
      if (button && post && signedIn) button.textContent = post;
    }
    /* The number and the series of the one on the shelf, unless somebody typed another: never those of the one before. */
    if (event.target.name === "product" && serial && (!serial.value || serial.value === numbered)) {
      numbered = event.target.dataset.serial || "";
      serial.value = numbered;
    }
    if (event.target.name === "product" && version && (!version.value || version.value === offered)) {
      offered = event.target.dataset.version || "";
      version.value = offered;
    }
  });

  /* Visitors: a picture that is pasted or dropped goes into the next empty row for pictures, and its words are next. */
  const take = (files) => {
    for (const file of [...files].filter((one) => one.type.startsWith("image/"))) {
      const row = [...form.querySelectorAll("#photos input[type=file]")].find((input) => !input.files.length);
      if (!row) return;
      const carried = new DataTransfer();
      carried.items.add(file);
      row.files = carried.files;
      row.closest("details").open = true;
      row.closest("details").querySelector("input[type=text]")?.focus();
    }
  };
  if (area && !area.dataset.uploadUrl && form.querySelector("#photos")) {
    area.addEventListener("paste", (event) => {
      if (![...(event.clipboardData?.files || [])].some((one) => one.type.startsWith("image/"))) return;
      event.preventDefault();
      take(event.clipboardData.files);
    });
    area.addEventListener("dragover", (event) => {
      if ([...(event.dataTransfer?.types || [])].includes("Files")) event.preventDefault();
    });
    area.addEventListener("drop", (event) => {
      if (!event.dataTransfer?.files.length) return;
      event.preventDefault();
      take(event.dataTransfer.files);
    });
  }

  /* Several tags in one line: the browser completes the last of them. */
  const tags = form.querySelector("[list=known-tags]");
  const known = [...(document.getElementById("known-tags")?.options || [])].map((option) => option.value);
  tags?.addEventListener("input", () => {
    const before = tags.value.slice(0, tags.value.lastIndexOf(",") + 1).trim();
    const options = document.getElementById("known-tags").options;
    known.forEach((name, i) => { options[i].value = before ? `${before} ${name}` : name; });
  });
})();
