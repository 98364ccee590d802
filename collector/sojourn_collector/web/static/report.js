// Renews the page's live part gently: only while it is looked at, never while something is being read out of an open box or selected, and the reader can pause it.
"use strict";
(() => {
  const EVERY = 5000;
  const live = () => document.getElementById("live");
  const said = document.getElementById("updated");
  const pause = document.getElementById("pause");
  if (!live() || !said || !pause) return;
  let paused = false;

  const busy = () => document.visibilityState !== "visible" || paused || !(document.getSelection()?.isCollapsed ?? true);
  const tell = (text) => { if (said.textContent !== text) said.textContent = text; };
  const asOf = () => live()?.dataset.asOfText ?? "";

  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    pause.textContent = paused ? "Go on updating" : "Pause updates";
    tell(paused ? `Paused at ${asOf()}` : "Updates by itself");
    if (!paused) renew();
  });

  function renew() {
    if (!busy()) document.body.dispatchEvent(new CustomEvent("sojourn:renew"));
  }

  document.addEventListener("htmx:after:swap", (event) => {
    if ((event.detail?.ctx?.response?.status ?? 0) >= 400) return; // nothing was swapped; the page keeps its last figures
    if (!paused) tell("Updates by itself");
    document.dispatchEvent(new CustomEvent("sojourn:renewed"));
  });
  const failed = () => tell(`Could not update since ${asOf()}; trying again`);
  document.addEventListener("htmx:response:error", failed);
  document.addEventListener("htmx:error", failed);

  tell("Updates by itself");
  setInterval(renew, EVERY);
})();
