// Loaded before paint: a theme once chosen holds; otherwise the system's preference does.
(function () {
  "use strict";
  var root = document.documentElement, key = "theme";
  try {
    var saved = localStorage.getItem(key);
    if (saved === "dark" || saved === "light") root.dataset.theme = saved;
  } catch (_) { /* no storage: the system decides */ }
  document.addEventListener("click", function (event) {
    if (!event.target.closest("[data-theme-switch]")) return;
    var dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try { localStorage.setItem(key, root.dataset.theme); } catch (_) { /* holds for this page only */ }
  });
})();
