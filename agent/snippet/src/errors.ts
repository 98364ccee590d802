// Errors of the page's own scripts. Those of browser extensions are not the page's fault.

import type { Outbox } from "./outbox";
import type { Pages } from "./pages";
import { bare, cut } from "./wire";

const MOST = 30;

export function watchErrors(outbox: Outbox, pages: Pages): (fault: unknown, name?: string) => void {
  let count = 0;
  const tell = (name: unknown, message: unknown, stack?: unknown) => {
    if (/(-extension|webkit-masked-url):\/\//.test(`${message}${stack}`) || ++count > MOST) return;
    outbox.add({ type: "error", at: Date.now(), name: cut(name, 128) || "Error", message: cut(message, 1024), stack: cut(stack, 4096), ...pages.context });
  };
  const thrown = (fault: unknown, name = "Error") => {
    const { name: own, message, stack } = (fault || {}) as Partial<Error>;
    tell(own || name, message ?? fault, stack);
  };
  addEventListener(
    "error",
    (event) => {
      const target = event.target as (HTMLScriptElement & HTMLLinkElement) | Window | null;
      if (target && target !== window && "tagName" in target) {
        // Does not bubble, hence the capture: a script or style sheet that did not load breaks pages, a picture does not.
        if (/^(SCRIPT|LINK)$/.test(target.tagName)) tell("ResourceError", `${target.tagName.toLowerCase()} did not load: ${bare(target.src || target.href)}`);
      } else if (event.error) thrown(event.error);
      else tell("Error", event.message, event.filename && `${event.filename}:${event.lineno}:${event.colno}`);
    },
    true,
  );
  addEventListener("unhandledrejection", (event) => thrown(event.reason, "UnhandledRejection"));
  return thrown;
}
