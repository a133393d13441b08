// The desk's keys: one letter without a modifier, outside of fields. Everything works without this file.
(() => {
  const typing = (target) => target.closest("input, textarea, select, [contenteditable]");
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const key = event.key.toLowerCase();
    if (!/^[a-z]$/.test(key)) return;
    const press = document.querySelector(`[data-key="${key}"]`);
    const write = document.querySelector(`[data-focus="${key}"]`);
    if (press) {
      event.preventDefault();
      press.click();
      if (press.matches("summary")) press.parentElement.querySelector("textarea, select, input:not([type=hidden])")?.focus();
    } else if (write) {
      event.preventDefault();
      write.form.querySelector("textarea")?.focus();
    }
  });
  document.querySelector(".dsk .has-error :is(textarea, select, input), .dsk-error[role=alert]")?.focus();
})();
