/* A thread: after htmx put a new version of it in place, show what was just written; quote what is selected. Everything
   works without this. */
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
  /* An old link to an answer that stands on another page by now: ask for the page it stands on. */
  const wanted = /^#answer-(\d+)$/.exec(location.hash);
  if (wanted && !document.getElementById(wanted[0].slice(1)) && !new URLSearchParams(location.search).has("answer")) {
    location.replace(`${location.pathname}?answer=${wanted[1]}${wanted[0]}`);
  }
  /* The box to comment in takes the focus when it is opened, and its place stays. */
  document.addEventListener("toggle", (event) => {
    const box = event.target;
    if (box instanceof HTMLDetailsElement && box.open && box.matches(".commenting")) box.querySelector("textarea")?.focus();
  }, true);

  /* ---- quoting: what is selected in a post, or all of it, goes into the answer box ---- */
  const box = () => document.querySelector("#answer textarea[name=body]");
  function chosen(post) {
    const selection = getSelection();
    const prose = post.querySelector(".prose");
    if (!prose || selection.isCollapsed || !selection.rangeCount) return "";
    const range = selection.getRangeAt(0);
    return prose.contains(range.commonAncestorContainer) ? selection.toString().trim() : "";
  }
  function quote(link) {
    const post = link.closest(".post"), area = box();
    const words = chosen(post) || post.querySelector(".prose").innerText.trim();
    const marked = words.split("\n").map((line) => `> ${line}`.trimEnd()).join("\n");
    const text = `${area.value.trim() ? "\n\n" : ""}${link.dataset.quote}\n\n${marked}\n\n`;
    const end = area.value.trimEnd().length;
    area.setRangeText(text, end, area.value.length, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
    area.scrollTop = area.scrollHeight;
    area.scrollIntoView({ block: "nearest" });
    getSelection().removeAllRanges();
    pop?.remove();
  }
  let pop = null;
  document.addEventListener("selectionchange", () => {
    pop?.remove();
    pop = null;
    const selection = getSelection();
    const node = selection.anchorNode && (selection.anchorNode.nodeType === 1 ? selection.anchorNode : selection.anchorNode.parentElement);
    const post = node?.closest?.("#thread .post");
    const link = post?.querySelector("[data-quote]");
    if (!link || !box() || !chosen(post)) return;
    const place = selection.getRangeAt(0).getBoundingClientRect();
    pop = document.createElement("button");
    pop.type = "button";
    pop.className = "btn btn--s quote-pop";
    pop.textContent = link.textContent.trim();
    pop.style.top = `${scrollY + place.bottom + 6}px`;
    pop.style.left = `${Math.max(8, Math.min(innerWidth - 100, place.left))}px`;
    pop.addEventListener("pointerdown", (event) => event.preventDefault());
    pop.addEventListener("click", () => quote(link));
    document.body.append(pop);
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-quote]");
    if (!link || !box() || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    link.closest("details.drop")?.removeAttribute("open");
    quote(link);
  });
})();
