/* The film and the phase bar of a product page. All of it works without this file. */
(() => {
  "use strict";
  /* A film is asked for when somebody clicks, not before. */
  const film = document.querySelector("[data-embed], [data-file]");
  film?.querySelector("[data-film-play]").addEventListener("click", (event) => {
    event.preventDefault();
    let player;
    if (film.dataset.embed) {
      player = document.createElement("iframe");
      player.src = film.dataset.embed;
      player.allow = "autoplay; fullscreen; picture-in-picture";
      player.referrerPolicy = "strict-origin-when-cross-origin";
    } else {
      player = document.createElement("video");
      player.src = film.dataset.file;
      player.controls = true;
      player.autoplay = true;
      if (film.dataset.captions) {
        const track = document.createElement("track");
        track.kind = "captions";
        track.src = film.dataset.captions;
        track.srclang = film.dataset.language;
        track.default = true;
        player.append(track);
      }
    }
    player.title = film.dataset.title;
    player.className = "film__player";
    event.currentTarget.replaceWith(player);
    player.focus();
  });

  /* The bar says which phase is being read. */
  const links = [...document.querySelectorAll("[data-phases] a")];
  const parts = links.map((link) => document.querySelector(link.getAttribute("href")));
  if (parts.some(Boolean) && "IntersectionObserver" in window) {
    const seen = new Set();
    const watch = new IntersectionObserver((entries) => {
      entries.forEach((entry) => (entry.isIntersecting ? seen.add(entry.target) : seen.delete(entry.target)));
      const now = parts.findIndex((part) => seen.has(part));
      links.forEach((link, index) => { if (index === now) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current"); });
    }, { rootMargin: "-20% 0px -60% 0px" });
    parts.filter(Boolean).forEach((part) => watch.observe(part));
  }
})();
