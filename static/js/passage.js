/* Words of a review that a moderator marks go into the field for the passage. Without this file they are copied. */
(() => {
  "use strict";
  const from = document.querySelector("[data-passage-from]");
  const field = document.querySelector("textarea[name=passage]");
  if (!from || !field) return;
  from.querySelector("[data-passage-hint]")?.removeAttribute("hidden");
  const take = () => {
    const marked = getSelection();
    if (!marked.rangeCount || marked.isCollapsed) return;
    const range = marked.getRangeAt(0);
    const words = marked.toString().replace(/\s+/g, " ").trim();
    // Three clicks mark a paragraph up to the beginning of what follows it.
    const inside = from.contains(range.startContainer) && (from.contains(range.endContainer) || range.endOffset === 0);
    if (words.length < 3 || !inside) return;
    field.value = words;
  };
  from.addEventListener("pointerup", () => setTimeout(take));
  from.addEventListener("keyup", take);
  document.addEventListener("touchend", () => setTimeout(take, 300));
})();
