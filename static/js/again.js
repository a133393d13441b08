// On the page "Closed for a moment": look now and then whether the site is back, and come back only then.
(() => {
  "use strict";
  const look = async () => {
    try {
      const answer = await fetch(location.href, { cache: "no-store", credentials: "same-origin" });
      if (answer.status < 500) { location.reload(); return; }
    } catch (_) { /* still closed */ }
    setTimeout(look, 20000 + Math.random() * 20000);
  };
  setTimeout(look, 20000 + Math.random() * 20000);
})();
