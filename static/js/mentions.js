/* After @ and two letters, people are offered: those of the thread first. The name can always be typed out instead. */
(() => {
  "use strict";
  const TOKEN = /(?:^|[\s(])@([\p{L}\p{N}._-]{2,40})$/u;
  const announce = (text) => document.body.dispatchEvent(new CustomEvent("announce", { detail: { value: text } }));
  let number = 0;

  function offer(area) {
    if (area.dataset.mentionsReady) return;
    area.dataset.mentionsReady = "1";
    const list = document.createElement("ul");
    list.className = "offers";
    list.id = `offers-${++number}`;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", area.dataset.wordPeople || "");
    list.hidden = true;
    area.insertAdjacentElement("afterend", list);
    area.setAttribute("aria-autocomplete", "list");
    area.setAttribute("aria-controls", list.id);
    let timer, asked = "", at = -1, flight = null;

    const token = () => { const found = area.selectionStart === area.selectionEnd && TOKEN.exec(area.value.slice(0, area.selectionStart)); return found ? found[1] : ""; };
    function close() {
      clearTimeout(timer);
      list.hidden = true;
      list.replaceChildren();
      asked = "";
      at = -1;
      area.removeAttribute("aria-activedescendant");
    }
    function mark(to) {
      const options = [...list.children];
      at = (to + options.length) % options.length;
      options.forEach((option, i) => option.setAttribute("aria-selected", String(i === at)));
      area.setAttribute("aria-activedescendant", options[at].id);
      options[at].scrollIntoView({ block: "nearest" });
    }
    function choose(option) {
      const end = area.selectionStart, start = end - token().length;
      area.focus();
      area.setSelectionRange(start, end);
      const text = `${option.dataset.name} `;
      if (!document.execCommand || !document.execCommand("insertText", false, text)) {
        area.setRangeText(text, start, end, "end");
        area.dispatchEvent(new Event("input", { bubbles: true }));
      }
      close();
    }
    async function ask() {
      const words = token();
      if (!words) { close(); return; }
      if (words === asked) return;
      asked = words;
      flight?.abort();
      flight = new AbortController();
      let people;
      try {
        const response = await fetch(`${area.dataset.mentions}?q=${encodeURIComponent(words)}`, { credentials: "same-origin", signal: flight.signal });
        if (!response.ok) return;
        people = (await response.json()).people;
      } catch (_) { return; }
      if (token() !== words) return;
      list.replaceChildren(...people.map((person, i) => {
        const option = document.createElement("li");
        option.id = `${list.id}-${i}`;
        option.setAttribute("role", "option");
        option.dataset.name = person.username;
        const name = document.createElement("b"), plain = document.createElement("span");
        name.textContent = person.name;
        plain.textContent = `@${person.username}`;
        option.append(name, plain);
        option.addEventListener("pointerdown", (event) => { event.preventDefault(); choose(option); });
        return option;
      }));
      list.hidden = !people.length;
      if (people.length) { mark(0); announce((area.dataset.wordOffered || "%s").replace("%s", people.length)); } else close();
    }
    area.addEventListener("input", () => { clearTimeout(timer); if (token()) timer = setTimeout(ask, 150); else close(); });
    area.addEventListener("blur", close);
    area.addEventListener("keydown", (event) => {
      if (list.hidden || event.isComposing) return;
      if (event.key === "ArrowDown") mark(at + 1);
      else if (event.key === "ArrowUp") mark(at - 1);
      else if ((event.key === "Enter" && !event.ctrlKey && !event.metaKey) || event.key === "Tab") choose(list.children[at]);
      else if (event.key === "Escape") close();
      else return;
      event.preventDefault();
      event.stopImmediatePropagation();
    });
  }
  const prepare = (root) => root.querySelectorAll("textarea[data-mentions]").forEach(offer);
  document.addEventListener("htmx:afterSwap", () => prepare(document));
  prepare(document);
})();
