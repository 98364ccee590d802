// A rage click: four clicks within a second, no more than 30 pixels apart. Fields, sliders and steppers are clicked fast for
// good reasons; `data-sojourn-ignore` leaves out whatever else is.

import type { Outbox } from "./outbox";
import { cut } from "./wire";

const CLICKS = 4;
const WITHIN = 1000;
const NEAR = 30;

export function watchRage(outbox: Outbox): void {
  let clicks: { at: number; x: number; y: number }[] = [];
  addEventListener(
    "click",
    (event) => {
      const target = event.target as Element | null;
      if (!target?.closest || target.closest("input,textarea,select,[contenteditable],[data-sojourn-ignore]")) return;
      const at = Date.now();
      clicks = clicks.filter((click) => at - click.at < WITHIN && Math.hypot(click.x - event.clientX, click.y - event.clientY) <= NEAR);
      clicks.push({ at, x: event.clientX, y: event.clientY });
      if (clicks.length === CLICKS) outbox.add({ type: "frustration", at, name: "rage_click", target: describe(target) });
    },
    true,
  );
}

/** The element without anything a visitor may have typed or been shown. */
function describe(element: Element): string {
  const button = element.closest("button,a,[role=button]") || element;
  const classes = typeof button.className === "string" ? button.className.trim().split(/\s+/)[0] : "";
  return cut(button.tagName.toLowerCase() + (button.id ? `#${button.id}` : classes ? `.${classes}` : ""), 200);
}
