/* What every page shares: htmx manners, messages, the editor, drafts. Pages work without it. */
(() => {
  "use strict";
  const toasts = document.getElementById("toasts");
  const announcer = document.getElementById("announce");
  const words = toasts ? toasts.dataset : {};
  const all = (selector, root = document) => [...(root.matches && root.matches(selector) ? [root] : []), ...root.querySelectorAll(selector)];
  const sprite = () => (document.querySelector("use[href*='sprite']")?.getAttribute("href") || "").split("#")[0];

  /* ---- saying things ---- */
  function announce(text) {
    if (!announcer || !text) return;
    announcer.textContent = "";
    setTimeout(() => { announcer.textContent = text; }, 60);
  }
  function closer(toast, after) {
    const button = document.createElement("button");
    button.type = "button";
    button.innerHTML = `<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><use href="${sprite()}#i-x"/></svg>`;
    button.setAttribute("aria-label", words.close || "Close");
    button.addEventListener("click", () => toast.remove());
    toast.append(button);
    if (after) {
      let timer = setTimeout(() => toast.remove(), after);
      const hold = () => clearTimeout(timer);
      toast.addEventListener("pointerenter", hold);
      toast.addEventListener("focusin", hold);
      toast.addEventListener("pointerleave", () => { timer = setTimeout(() => toast.remove(), 3000); });
    }
  }
  function toast(text, level = "success") {
    if (!toasts || !text) return;
    const line = document.createElement("p");
    line.className = level === "error" ? "toast toast--error" : "toast";
    line.innerHTML = `<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><use href="${sprite()}#i-${level === "error" ? "circle-alert" : "check"}"/></svg><span></span>`;
    line.querySelector("span").textContent = text;
    closer(line, level === "error" ? 0 : 7000);
    toasts.append(line);
    while (toasts.children.length > 3) toasts.firstElementChild.remove();
  }
  if (toasts) all("[data-toast]", toasts).forEach((line) => closer(line, line.classList.contains("toast--error") ? 0 : 9000));

  function wait(seconds) {
    const n = Math.max(1, Math.ceil(Number(seconds) || 60));
    const unit = n < 90 ? ["second", n] : ["minute", Math.ceil(n / 60)];
    return new Intl.NumberFormat(document.documentElement.lang || "en", { style: "unit", unit: unit[0], unitDisplay: "long" }).format(unit[1]);
  }
  function refusal(status, type, body, later) {
    if (type.includes("json")) {
      try { const answer = JSON.parse(body); const text = answer.error || answer.detail; if (typeof text === "string") return text; } catch (_) { /* not what it said */ }
    }
    if (type.startsWith("text/plain") && body && body.length < 300) return body;
    if (status === 429) return (words.slow || "").replace("%s", wait(later));
    return status === 401 || status === 403 ? words.forbidden : words.error;
  }

  /* ---- htmx ---- */
  const cookie = (name) => (document.cookie.match(new RegExp(`(?:^|; )${name}=([^;]+)`)) || [])[1];
  const token = () => document.querySelector("input[name=csrfmiddlewaretoken]")?.value || cookie("__Host-csrftoken") || cookie("csrftoken") || "";
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = token();
  });
  document.addEventListener("htmx:responseError", (event) => {
    const xhr = event.detail.xhr;
    toast(refusal(xhr.status, xhr.getResponseHeader("Content-Type") || "", xhr.responseText || "", xhr.getResponseHeader("Retry-After")), "error");
  });
  document.addEventListener("htmx:sendError", () => toast(words.offline, "error"));
  document.addEventListener("htmx:timeout", () => toast(words.offline, "error"));
  document.addEventListener("htmx:afterSwap", (event) => {
    const target = event.detail.elt || event.target;
    if (!(target instanceof Element)) return;
    prepare(target);
    const summary = target.querySelector("[data-error-summary]");
    if (summary) summary.focus();
    announce(target.dataset.announce || target.querySelector("[data-announce]")?.dataset.announce);
  });
  /* A view says "saved" with HX-Trigger: {"toast": {"message": "…", "level": "success"}} or {"announce": "…"}. */
  document.body.addEventListener("toast", (event) => toast(event.detail.message ?? event.detail.value, event.detail.level));
  document.body.addEventListener("announce", (event) => announce(event.detail.value ?? event.detail.message));

  async function post(url, data, options = {}) {
    let response;
    try {
      response = await fetch(url, { method: "POST", body: data, credentials: "same-origin", headers: { "X-CSRFToken": token(), "X-Requested-With": "XMLHttpRequest", ...options.headers }, keepalive: Boolean(options.keepalive) });
    } catch (_) { throw new Error(words.offline); }
    if (response.ok) return response;
    throw new Error(refusal(response.status, response.headers.get("Content-Type") || "", await response.text(), response.headers.get("Retry-After")));
  }

  /* ---- the editor: a textarea with a few helping hands ---- */
  function put(area, start, end, text, from, to) {
    area.focus();
    area.setSelectionRange(start, end);
    // execCommand keeps the browser's own undo; setRangeText is for those that dropped it.
    if (!document.execCommand || !document.execCommand("insertText", false, text)) {
      area.setRangeText(text, start, end, "end");
      area.dispatchEvent(new Event("input", { bubbles: true }));
    }
    if (from !== undefined) area.setSelectionRange(from, to);
  }
  function wrap(area, before, after, sample) {
    const { selectionStart: start, selectionEnd: end, value } = area;
    const chosen = value.slice(start, end);
    if (chosen && value.slice(start - before.length, start) === before && value.slice(end, end + after.length) === after) {
      put(area, start - before.length, end + after.length, chosen, start - before.length, end - before.length);
      return;
    }
    const text = chosen || sample;
    put(area, start, end, before + text + after, start + before.length, start + before.length + text.length);
  }
  function lines(area, mark) {
    const { value } = area;
    const start = value.lastIndexOf("\n", area.selectionStart - 1) + 1;
    let end = value.indexOf("\n", area.selectionEnd);
    if (end < 0) end = value.length;
    const old = /^(?:[-*] |\d+\. |> )/;
    const rows = value.slice(start, end).split("\n");
    const first = mark(0).trim();
    const marked = rows.every((row, i) => row.startsWith(mark(i)));
    const text = rows.map((row, i) => (marked ? row.slice(mark(i).length) : mark(i) + (first === ">" ? row : row.replace(old, "")))).join("\n");
    put(area, start, end, text, start, start + text.length);
  }
  function link(area) {
    const { selectionStart: start, selectionEnd: end, value } = area;
    const chosen = value.slice(start, end);
    if (/^https?:\/\/\S+$/.test(chosen)) { put(area, start, end, `[](${chosen})`, start + 1, start + 1); return; }
    const text = `[${chosen}](https://)`;
    const at = start + chosen.length + 3;
    put(area, start, end, text, at, at + 8);
  }
  const acts = {
    bold: (area) => wrap(area, "**", "**", area.dataset.wordBold || "bold"),
    italic: (area) => wrap(area, "*", "*", area.dataset.wordItalic || "italic"),
    code: (area) => {
      const { selectionStart: start, selectionEnd: end, value } = area;
      if (!value.slice(start, end).includes("\n")) { wrap(area, "`", "`", "code"); return; }
      wrap(area, `${start && value[start - 1] !== "\n" ? "\n\n" : ""}\`\`\`\n`, `\n\`\`\`${value[end] && value[end] !== "\n" ? "\n\n" : ""}`, "");
    },
    quote: (area) => lines(area, () => "> "),
    list: (area) => lines(area, () => "- "),
    numbered: (area) => lines(area, (i) => `${i + 1}. `),
    link,
  };
  async function upload(area, files) {
    for (const file of files) {
      if (!file.type.startsWith("image/")) continue;
      const mark = `![${(area.dataset.wordUploading || "…")} ${file.name.replace(/[[\]()]/g, "")}]()`;
      put(area, area.selectionEnd, area.selectionEnd, `\n${mark}\n`);
      let text = "";
      try {
        const data = new FormData();
        data.append("file", file);
        const answer = await (await post(area.dataset.uploadUrl, data, { headers: { Accept: "application/json" } })).json();
        const alt = answer.alt || "";
        text = answer.markdown || `![${alt}](${answer.url})`;
        announce(area.dataset.wordUploaded);
      } catch (error) { toast(error.message, "error"); }
      const at = area.value.indexOf(mark);
      if (at >= 0) {
        area.setRangeText(text, at, at + mark.length, "preserve");
        area.dispatchEvent(new Event("input", { bubbles: true }));
        // A picture wants words: its field is next.
        if (text.startsWith("![](")) [...(area.closest(".editor")?.querySelectorAll(".editor__shots input") || [])].find((field) => !field.value)?.focus();
      }
    }
  }
  /* Live preview: opened beneath the text, drawn again a moment after each change; one request travels at a time. */
  async function draw(area, pane, aloud) {
    if (pane.hidden || pane.busy || pane.drawn === area.value) return;
    pane.busy = true;
    const text = area.value;
    try {
      const data = new FormData();
      data.append("body", text);
      pane.innerHTML = await (await post(area.dataset.previewUrl, data)).text();
      pane.drawn = text;
    } catch (error) { if (aloud) toast(error.message, "error"); }
    setTimeout(() => { pane.busy = false; if (pane.drawn !== area.value && pane.drawn !== undefined) draw(area, pane); }, 1200);
  }
  function preview(area, button, pane) {
    const open = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(open));
    pane.hidden = !open;
    if (!open) { area.focus(); return; }
    pane.drawn = undefined;
    draw(area, pane, true);
  }
  /* Words for the pictures of a text, in fields of their own: what is typed there stands between the brackets. */
  const PICTURE = /!\[([^\]]*)\]\(([^)\s]*\/media\/uploads\/[^)\s]+)\)/g;
  function shots(area, box) {
    const found = [...area.value.matchAll(PICTURE)];
    let list = box.querySelector(".editor__shots");
    if (!found.length) { list?.remove(); return; }
    if (!list) {
      list = document.createElement("ul");
      list.className = "editor__shots plain";
      box.append(list);
    }
    while (list.children.length > found.length) list.lastElementChild.remove();
    found.forEach(([, alt, url], i) => {
      let row = list.children[i];
      if (!row) {
        row = document.createElement("li");
        row.innerHTML = '<img alt="" width="56" height="56"><label><span></span><input class="input" type="text" maxlength="300"></label>';
        row.querySelector("span").textContent = area.dataset.wordDescribe;
        const field = row.querySelector("input");
        field.addEventListener("input", () => {
          const at = [...list.children].indexOf(row), words = field.value.replace(/[[\]\n]/g, " ");
          let n = 0;
          const next = area.value.replace(PICTURE, (all, _alt, address) => (n++ === at ? `![${words}](${address})` : all));
          area.value = next;
          area.dispatchEvent(new Event("input", { bubbles: true }));
        });
        field.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
        list.append(row);
      }
      const image = row.querySelector("img"), field = row.querySelector("input");
      if (image.getAttribute("src") !== url) image.src = url;
      if (document.activeElement !== field) field.value = alt;
    });
  }
  function editor(area) {
    const box = area.closest(".editor");
    if (!box || box.dataset.ready) return;
    box.dataset.ready = "1";
    const bar = box.querySelector(".editor__bar");
    const pane = box.querySelector(".editor__preview");
    const file = box.querySelector("input[type=file][data-editor-file]");
    if (bar) {
      bar.hidden = false;
      bar.addEventListener("click", (event) => {
        const button = event.target.closest("button[data-act]");
        if (!button) return;
        if (button.dataset.act === "image") file?.click();
        else if (button.dataset.act === "preview") preview(area, button, pane);
        else acts[button.dataset.act]?.(area);
      });
    }
    area.addEventListener("input", () => { shots(area, box); if (pane && !pane.hidden) draw(area, pane); });
    shots(area, box);
    file?.addEventListener("change", () => { upload(area, [...file.files]); file.value = ""; });
    if (area.dataset.uploadUrl) {
      area.addEventListener("paste", (event) => {
        const files = [...(event.clipboardData?.files || [])].filter((f) => f.type.startsWith("image/"));
        if (files.length) { event.preventDefault(); upload(area, files); }
      });
      for (const name of ["dragover", "dragleave", "drop"]) area.addEventListener(name, (event) => {
        if (![...(event.dataTransfer?.types || [])].includes("Files")) return;
        event.preventDefault();
        box.classList.toggle("is-over", name === "dragover");
        if (name === "drop") upload(area, [...event.dataTransfer.files]);
      });
    }
    area.addEventListener("keydown", (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
      const act = { b: "bold", i: "italic", k: "link" }[event.key.toLowerCase()];
      if (act && !event.shiftKey) { event.preventDefault(); acts[act](area); }
    });
  }

  /* ---- drafts: kept a moment after one stops typing; on the server for members, in this browser for visitors and
     for members whose server does not answer. What stands in [data-private] is in neither. ---- */
  const KEPT_DAYS = 14;
  const shelf = {
    read(key) {
      try {
        const kept = JSON.parse(localStorage.getItem(`draft:${key}`));
        if (kept && Date.now() - kept.at < KEPT_DAYS * 864e5) return kept.fields;
        localStorage.removeItem(`draft:${key}`);
      } catch (_) { /* no storage here, or not ours */ }
      return null;
    },
    write(key, fields) { try { localStorage.setItem(`draft:${key}`, JSON.stringify({ at: Date.now(), fields })); return true; } catch (_) { return false; } },
    /* "ask" is the visitors' copy, "ask@17" that of a member. */
    forget(name) { try { Object.keys(localStorage).filter((key) => key === `draft:${name}` || key.startsWith(`draft:${name}@`)).forEach((key) => localStorage.removeItem(key)); } catch (_) { /* none */ } },
  };
  all("[data-toast]").forEach((line) => line.dataset.toast.split(" ").forEach((tag) => { if (tag.startsWith("forget:")) shelf.forget(tag.slice(7)); }));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-afresh]");
    if (button) all("[data-draft-local]").forEach((field) => { field.draftOver = true; shelf.forget(field.dataset.draftLocal.split("@")[0]); });
  });
  const keepable = (field) => field.name && !["hidden", "password", "file", "submit", "button"].includes(field.type) && field.name !== "website" && !field.closest("[data-private]");
  function written(form) {
    const fields = {};
    for (const field of form.elements) {
      if (!keepable(field) || ((field.type === "radio" || field.type === "checkbox") && !field.checked)) continue;
      (fields[field.name] ||= []).push(field.value);
    }
    return fields;
  }
  function fill(form, fields) {
    for (const field of form.elements) {
      if (!keepable(field)) continue;
      const values = fields[field.name] || [];
      if (field.type === "radio" || field.type === "checkbox") field.checked = values.includes(field.value);
      else if (values.length) field.value = values[0];
    }
    all("textarea, [hx-get]", form).forEach((field) => field.dispatchEvent(new Event("input", { bubbles: true })));
    form.dispatchEvent(new Event("change", { bubbles: true }));
  }
  function draft(field) {
    if (field.dataset.draftReady) return;
    field.dataset.draftReady = "1";
    const form = field.form || field.closest("form");
    if (!form) return;
    const { draftUrl: url, draftLocal: local, draftAlso: also } = field.dataset;
    const note = form.querySelector("[data-draft-note]");
    const said = (key) => (field.dataset[key] || "").replace("%s", new Intl.DateTimeFormat(document.documentElement.lang || "en", { timeStyle: "short" }).format());
    let timer, sent = false;
    const begun = local && [...form.elements].some((one) => keepable(one) && ["text", "textarea"].includes(one.type) && one.value.trim());
    if (local && !begun) {
      const kept = shelf.read(local) || (also && shelf.read(also));
      if (kept && [kept.title, kept[field.name]].some((value) => value && value[0].trim())) {
        fill(form, kept);
        const told = document.querySelector("[data-draft-restored]");
        if (told) told.hidden = false;
      }
    }
    const now = () => JSON.stringify(written(form));
    let last = now();
    const save = async (leaving) => {
      clearTimeout(timer);
      const value = now();
      if (sent || field.draftOver || value === last) return;
      last = value;
      const fields = written(form);
      if (url) {
        const data = new FormData();
        for (const [name, values] of Object.entries(fields)) for (const one of values) data.append(name, one);
        if (!data.has("body")) data.append("body", field.value);
        try {
          await post(url, data, { keepalive: leaving && value.length < 20000 });
          if (local) shelf.forget(local);
          if (note) note.textContent = said("wordSaved");
          return;
        } catch (_) { last = null; timer = setTimeout(save, 20000); }
      }
      const here = local && shelf.write(local, fields);
      if (note) note.textContent = here ? said("wordSavedHere") : field.dataset.wordUnsaved || "";
    };
    const soon = () => { clearTimeout(timer); timer = setTimeout(save, 1500); };
    form.addEventListener("input", soon);
    form.addEventListener("change", soon);
    field.addEventListener("blur", () => save(false));
    document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") save(true); });
    form.addEventListener("submit", () => { if (local && !url) save(true); sent = true; clearTimeout(timer); setTimeout(() => { sent = false; }, 5000); });
  }

  /* ---- how many characters are left: shown once somebody types, said when they become few ---- */
  function counter(field) {
    const note = document.getElementById(field.getAttribute("aria-describedby"));
    if (!note?.dataset.left || field.dataset.counted) return;
    field.dataset.counted = "1";
    let before = field.maxLength;
    field.addEventListener("input", () => {
      const left = field.maxLength - field.value.length;
      const text = note.dataset.left.replace("%s", left);
      note.textContent = text;
      if ([100, 50, 20, 0].some((few) => left <= few && before > few)) announce(text);
      before = left;
    });
  }

  /* ---- a table or a formula that is wider than its column scrolls, and the keyboard can reach it ---- */
  const reachable = (root) => root.querySelectorAll(".prose :is(table, math)").forEach((box) => {
    if (box.scrollWidth > box.clientWidth + 1) box.setAttribute("tabindex", "0");
  });
  addEventListener("load", () => reachable(document));
  document.addEventListener("htmx:load", (event) => reachable(event.target));

  /* ---- asking once more ---- */
  function confirmed(text, label) {
    return new Promise((resolve) => {
      const box = document.createElement("dialog");
      box.className = "dialog";
      box.innerHTML = '<form method="dialog"><p></p><div class="form__acts"><button class="btn btn--main" value="yes"></button><button class="btn btn--quiet" value="" autofocus></button></div></form>';
      box.querySelector("p").textContent = text;
      box.querySelector("p").id = "dialog-words";
      box.setAttribute("aria-labelledby", "dialog-words");
      const [yes, no] = box.querySelectorAll("button");
      yes.textContent = label || words.confirm;
      no.textContent = words.cancel;
      box.addEventListener("close", () => { const ok = box.returnValue === "yes"; box.remove(); resolve(ok); });
      document.body.append(box);
      box.showModal();
    });
  }
  document.addEventListener("htmx:confirm", (event) => {
    const source = event.detail.elt;
    if (!source.dataset.confirm) return;
    event.preventDefault();
    confirmed(source.dataset.confirm, source.dataset.confirmLabel).then((ok) => ok && event.detail.issueRequest(true));
  });
  document.addEventListener("submit", (event) => {
    const form = event.target, button = event.submitter;
    const source = button?.dataset.confirm ? button : form.dataset.confirm ? form : null;
    const travels = (element) => element && (element.hasAttribute("hx-post") || element.hasAttribute("hx-delete"));
    if (!source || form.dataset.sure || travels(form) || travels(button)) return;
    event.preventDefault();
    event.stopPropagation();
    confirmed(source.dataset.confirm, source.dataset.confirmLabel).then((ok) => {
      if (!ok) return;
      form.dataset.sure = "1";
      form.requestSubmit(button || undefined);
      delete form.dataset.sure;
    });
  }, true);

  /* ---- one form, one post: a second click while the first travels does nothing ---- */
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("hx-post")) return;
    if (form.dataset.busy) { event.preventDefault(); return; }
    form.dataset.busy = "1";
    setTimeout(() => { delete form.dataset.busy; }, 8000);
  });
  addEventListener("pageshow", () => all("form[data-busy]").forEach((form) => { delete form.dataset.busy; }));

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("textarea")) {
      event.preventDefault();
      event.target.form?.requestSubmit();
    }
    if (event.key === "Escape") {
      const open = event.target.closest?.("details.menu[open], details.drop[open]");
      if (open) { open.open = false; open.querySelector("summary").focus(); }
    }
  });
  document.addEventListener("click", async (event) => {
    all("details.menu[open], details.drop[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
    const button = event.target.closest("[data-copy-link]");
    if (!button) return;
    event.preventDefault();
    const url = new URL(button.dataset.copyLink || button.getAttribute("href") || location.href, location.href).href;
    if (button.hasAttribute("data-share") && navigator.share) {
      try { await navigator.share({ title: button.dataset.share || document.title, url }); return; } catch (error) { if (error.name === "AbortError") return; }
    }
    try { await navigator.clipboard.writeText(url); toast(words.copied); } catch (_) { prompt("", url); }
  });
  document.addEventListener("change", (event) => {
    const field = event.target.closest("[data-autosubmit]");
    if (field) field.form?.requestSubmit();
  });

  function prepare(root) {
    all("textarea[data-editor]", root).forEach(editor);
    all("[data-draft-url], [data-draft-local]", root).forEach(draft);
    all("textarea[data-counter]", root).forEach(counter);
  }
  prepare(document);
  all(".tabs [aria-current]").forEach((tab) => { tab.parentElement.scrollLeft = tab.offsetLeft - 48; });
  document.querySelector("[data-error-summary]")?.focus();
})();
