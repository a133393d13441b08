/* The gallery, the film and the phase bar of a product page. All of it works without this file. */
(() => {
  "use strict";
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;

  /* Pictures scroll sideways by themselves; the thumbs lead there without moving the page. */
  const gallery = document.querySelector("[data-gallery]");
  const strip = gallery?.querySelector(".gallery__strip");
  if (strip) {
    const figures = [...strip.children];
    const thumbs = [...gallery.querySelectorAll('.gallery__thumbs a[href^="#fig"]')];
    const show = (index) => strip.scrollTo({ left: figures[index].offsetLeft - strip.offsetLeft, behavior: calm ? "auto" : "smooth" });
    const mark = (index) => thumbs.forEach((thumb, i) => { if (i === index) thumb.setAttribute("aria-current", "true"); else thumb.removeAttribute("aria-current"); });
    thumbs.forEach((thumb, index) => thumb.addEventListener("click", (event) => { event.preventDefault(); show(index); mark(index); }));
    strip.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const now = Math.round(strip.scrollLeft / strip.clientWidth);
      show(Math.min(Math.max(now + step, 0), figures.length - 1));
    });
    let waiting;
    strip.addEventListener("scroll", () => { clearTimeout(waiting); waiting = setTimeout(() => mark(Math.round(strip.scrollLeft / strip.clientWidth)), 80); });
  }

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
