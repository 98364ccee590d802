// fetch and XMLHttpRequest: a span for each, and `traceparent` on those to our own origin and the origins the page lists. To
// any other origin the header would be refused by CORS and would tell strangers about our traces. The same origins are `own`:
// a request that fails there hurts the visitor, one to a blocked tracker does not.

import { hex, parseContext } from "./ids";
import type { Outbox } from "./outbox";
import type { Pages } from "./pages";
import type { Settings } from "./settings";
import { bare } from "./wire";

let leaving = 0;

export function watchRequests(settings: Settings, outbox: Outbox, pages: Pages): void {
  const left = () => (leaving = Date.now());
  addEventListener("beforeunload", left);
  addEventListener("pagehide", left);

  const begin = (url: string, method: string, given: string | null) => {
    const { page } = outbox;
    const at = Date.now();
    const from = performance.now();
    const known = parseContext(given);
    const trace = known?.trace || pages.context.trace;
    const span = hex(8);
    const own = isOwn(settings, url);
    const parent = known?.span || pages.context.span;
    return {
      traceparent: !given && own && !settings.traceOff ? `00-${trace}-${span}-01` : "",
      end(status: number, error?: string, size?: number) {
        // A request cut off by leaving the page is nobody's failure.
        const fault = error === "network" && Date.now() - leaving < 3000 ? "abort" : error;
        const duration = Math.round((performance.now() - from) * 10) / 10;
        outbox.add({ type: "fetch", at, duration, trace, span, parent, method, url: bare(url), status: status || undefined, error: fault, size, own: own || undefined }, page);
      },
    };
  };
  const ours = (url: string) => url.startsWith(settings.endpoint);
  if ("fetch" in window) patchFetch(begin, ours);
  patchXhr(begin, ours);
}

type Begin = (url: string, method: string, given: string | null) => { traceparent: string; end(status: number, error?: string, size?: number): void };

function isOwn(settings: Settings, url: string): boolean {
  try {
    const { origin } = new URL(url, location.href);
    return origin === location.origin || settings.traceOrigins.includes(origin);
  } catch {
    return false;
  }
}

const sizeOf = (text: string | null) => (text && Number(text) >= 0 ? Number(text) : undefined);

function patchFetch(begin: Begin, ours: (url: string) => boolean): void {
  const plain = window.fetch;
  window.fetch = function (this: unknown, input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const request = typeof Request !== "undefined" && input instanceof Request ? input : undefined;
    let watch: ReturnType<Begin>;
    try {
      const url = new URL(request ? request.url : String(input), location.href).href;
      if (ours(url)) return plain.call(window, input, init);
      // As fetch itself does it: headers of `init` replace those of the request.
      const headers = new Headers(init?.headers || request?.headers);
      watch = begin(url, (init?.method || request?.method || "GET").toUpperCase(), headers.get("traceparent"));
      if (watch.traceparent) {
        headers.set("traceparent", watch.traceparent);
        init = { ...init, headers };
      }
    } catch {
      return plain.call(window, input, init); // what we cannot read, fetch itself shall refuse
    }
    const answer = plain.call(window, input, init);
    answer.then(
      (response) => watch.end(response.status, undefined, sizeOf(response.headers.get("content-length"))),
      (fault) => watch.end(0, fault?.name === "AbortError" ? "abort" : fault?.name === "TimeoutError" ? "timeout" : "network"),
    );
    return answer;
  };
}

function patchXhr(begin: Begin, ours: (url: string) => boolean): void {
  interface Known {
    method: string;
    url: string;
    given: string | null;
  }
  const known = new WeakMap<XMLHttpRequest, Known>();
  const { open, send, setRequestHeader } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.open = function (this: XMLHttpRequest, method: string, url: string | URL, ...rest: unknown[]) {
    known.set(this, { method: String(method).toUpperCase(), url: String(url), given: null });
    return (open as (...all: unknown[]) => void).call(this, method, url, ...rest);
  } as typeof open;
  XMLHttpRequest.prototype.setRequestHeader = function (name, value) {
    const mine = known.get(this);
    if (mine && name.toLowerCase() === "traceparent") mine.given = value;
    return setRequestHeader.call(this, name, value);
  };
  XMLHttpRequest.prototype.send = function (body) {
    const mine = known.get(this);
    if (mine && !ours(new URL(mine.url, location.href).href)) {
      const watch = begin(new URL(mine.url, location.href).href, mine.method, mine.given);
      if (watch.traceparent) setRequestHeader.call(this, "traceparent", watch.traceparent);
      let error: string | undefined;
      for (const [event, word] of [["error", "network"], ["timeout", "timeout"], ["abort", "abort"]] as const) this.addEventListener(event, () => (error = word), { once: true });
      this.addEventListener("loadend", () => watch.end(this.status, error, error ? undefined : sizeOf(this.getResponseHeader("content-length"))), { once: true });
    }
    return send.call(this, body);
  };
}
