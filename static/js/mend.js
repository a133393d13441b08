// On every page of the admin that is ours: what has to be mended, or what came of an act, has the focus.
(() => {
  "use strict";
  const place = document.querySelector(".dsk .has-error :is(textarea, select, input:not([type=hidden])), .dsk .dsk-error[role=alert], .dsk-result");
  if (!place) return;
  if (place.matches("p, section") && !place.hasAttribute("tabindex")) place.tabIndex = -1;
  place.closest("details")?.setAttribute("open", "");
  place.focus();
})();
