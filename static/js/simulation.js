// Asks how far a simulation is, and shows the result when it is there. Without this file a link looks again.
(() => {
  const again = async () => {
    const shown = document.getElementById("simulation-progress");
    if (!shown || shown.dataset.simulation === "failed") return;
    try {
      const answer = await fetch("?part=1", { credentials: "same-origin" });
      if (!answer.ok) throw new Error(String(answer.status));
      const next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("simulation-progress");
      if (!next || next.dataset.simulation === "done") { window.location.reload(); return; }
      if (next.textContent !== shown.textContent) shown.replaceWith(next);
    } catch { /* the next try may get through */ }
    window.setTimeout(again, 2000);
  };
  window.setTimeout(again, 1500);
})();
