/* The gallery of a product page: thumbs, keys, and a picture that comes closer. Without this file the pictures scroll
   sideways by themselves, and each is a link to a larger one. */
(() => {
  "use strict";
  const gallery = document.querySelector("[data-gallery]");
  const strip = gallery?.querySelector(".gallery__strip");
  if (!strip) return;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const figures = [...strip.children];
  const thumbs = [...gallery.querySelectorAll('.gallery__thumbs a[href^="#fig"]')];

  /* The thumbs lead to a picture without moving the page. */
  const show = (index) => strip.scrollTo({ left: figures[index].offsetLeft - strip.offsetLeft, behavior: calm ? "auto" : "smooth" });
  const mark = (index) => thumbs.forEach((thumb, i) => { if (i === index) thumb.setAttribute("aria-current", "true"); else thumb.removeAttribute("aria-current"); });
  const current = () => Math.round(strip.scrollLeft / strip.clientWidth);
  thumbs.forEach((thumb, index) => thumb.addEventListener("click", (event) => { event.preventDefault(); show(index); mark(index); }));
  strip.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    show(Math.min(Math.max(current() + step, 0), figures.length - 1));
  });
  let waiting;
  strip.addEventListener("scroll", () => { clearTimeout(waiting); waiting = setTimeout(() => mark(current()), 80); });

  /* Closer: one picture at a time in a dialog; wheel, pinch, double tap, keys and buttons bring it nearer. */
  const box = gallery.querySelector("[data-closer-box]");
  if (!box?.showModal) return;
  const view = box.querySelector(".closer__view");
  const words = box.querySelector(".closer__words");
  const MOST = 4;
  let index = 0, scale = 1, x = 0, y = 0, picture;
  const fingers = new Map();

  function place() {
    const rest = (scale - 1) / 2;
    const wide = picture.clientWidth * rest, high = picture.clientHeight * rest;
    x = Math.min(Math.max(x, -wide), wide);
    y = Math.min(Math.max(y, -high), high);
    picture.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    view.classList.toggle("is-close", scale > 1);
    box.querySelector('[data-zoom="-1"]').disabled = scale <= 1;
    box.querySelector('[data-zoom="1"]').disabled = scale >= MOST;
  }
  function zoom(factor, atX = 0, atY = 0) {
    const next = Math.min(Math.max(scale * factor, 1), MOST);
    x = atX - (atX - x) * (next / scale);
    y = atY - (atY - y) * (next / scale);
    scale = next;
    place();
  }
  function look(at) {
    index = (at + figures.length) % figures.length;
    const link = figures[index].querySelector("[data-closer]");
    const shown = link.querySelector("img");
    picture = new Image(Number(link.dataset.width), Number(link.dataset.height));
    picture.alt = shown.alt;
    picture.draggable = false;
    picture.className = "closer__picture";
    picture.src = link.href;
    view.replaceChildren(picture);
    words.textContent = figures[index].querySelector("figcaption").textContent.trim();
    box.querySelectorAll("[data-step]").forEach((button) => { button.hidden = figures.length < 2; });
    scale = 1; x = 0; y = 0;
    place();
  }
  const middle = (event) => { const edge = view.getBoundingClientRect(); return [event.clientX - edge.left - edge.width / 2, event.clientY - edge.top - edge.height / 2]; };

  strip.addEventListener("click", (event) => {
    const link = event.target.closest("[data-closer]");
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    box.showModal();
    look(figures.findIndex((figure) => figure.contains(link)));
    view.focus();
  });
  box.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (event.target === box || button?.hasAttribute("data-close")) box.close();
    else if (button?.dataset.step) look(index + Number(button.dataset.step));
    else if (button?.dataset.zoom) zoom(button.dataset.zoom === "1" ? 1.5 : 1 / 1.5);
  });
  box.addEventListener("close", () => { view.replaceChildren(); show(index); mark(index); });
  box.addEventListener("keydown", (event) => {
    const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
    if (event.key === "+" || event.key === "=") zoom(1.5);
    else if (event.key === "-") zoom(1 / 1.5);
    else if (event.key === "0") zoom(0);
    else if (step && scale > 1) { x -= step[0] * 60; y -= step[1] * 60; place(); }
    else if (step?.[0] && figures.length > 1) look(index + step[0]);
    else return;
    event.preventDefault();
  });
  view.addEventListener("wheel", (event) => { event.preventDefault(); zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2, ...middle(event)); }, { passive: false });
  view.addEventListener("dblclick", (event) => zoom(scale > 1 ? 0 : 2.5, ...middle(event)));

  let swiped = 0, tapped = 0;
  view.addEventListener("pointerdown", (event) => {
    view.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, event);
    swiped = 0;
  });
  view.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const others = [...fingers.values()].filter((finger) => finger.pointerId !== event.pointerId);
    if (others.length) {
      const apart = (finger) => Math.hypot(finger.clientX - others[0].clientX, finger.clientY - others[0].clientY);
      const [ax, ay] = middle(event), [bx, by] = middle(others[0]);
      zoom(apart(event) / Math.max(apart(before), 1), (ax + bx) / 2, (ay + by) / 2);
      swiped = NaN;
    } else if (scale > 1) {
      x += event.clientX - before.clientX;
      y += event.clientY - before.clientY;
      place();
    } else swiped += event.clientX - before.clientX;
    fingers.set(event.pointerId, event);
  });
  const lift = (event) => {
    if (!fingers.delete(event.pointerId) || fingers.size) return;
    if (scale === 1 && Math.abs(swiped) > 50 && figures.length > 1) look(index + (swiped < 0 ? 1 : -1));
    else if (event.pointerType === "touch" && Math.abs(swiped) < 10) {
      // A finger has no double click that every browser tells of.
      if (event.timeStamp - tapped < 300) zoom(scale > 1 ? 0 : 2.5, ...middle(event));
      tapped = event.timeStamp;
    }
  };
  view.addEventListener("pointerup", lift);
  view.addEventListener("pointercancel", (event) => fingers.delete(event.pointerId));
})();
