// Page views: the load itself, and changes of the path without a load (patched history, back and forward).

import { channelOf } from "./channel";
import { hex, parseContext, type Context } from "./ids";
import type { Outbox } from "./outbox";
import type { Visits } from "./session";
import { probe } from "./settings";
import { bare, type Page } from "./wire";

const PATIENCE = 4000;

export class Pages {
  /** The span of the page view of now: fetches are its children. */
  context!: Context;
  private pending?: () => void;

  constructor(
    private outbox: Outbox,
    private visits: Visits,
  ) {
    const parent = parseContext(probe().traceparent || document.querySelector<HTMLMetaElement>('meta[name="traceparent"]')?.content);
    const started = performance.timeOrigin || Date.now() - performance.now();
    this.begin(started, "", parent);
    this.watchLoad(started, parent);
    for (const name of ["pushState", "replaceState"] as const) {
      const plain = history[name];
      history[name] = (...given: Parameters<History["pushState"]>) => {
        plain.apply(history, given);
        this.changed();
      };
    }
    addEventListener("popstate", () => this.changed());
    addEventListener("pageshow", (event) => event.persisted && this.soft("back-forward-cache"));
  }

  /** The page is about to go: a view whose load never ended is told now. */
  finish(): void {
    this.pending?.();
  }

  private begin(at: number, nav: string, parent?: Context): void {
    this.context = { trace: parent?.trace || hex(16), span: hex(8) };
    this.outbox.page = { id: hex(8), url: bare(location.href) };
    if (nav) this.tell(this.outbox.page, this.context, at, 0, nav, parent);
  }

  private tell(page: Page, context: Context, at: number, duration: number, nav: string, parent?: Context, channel?: string): void {
    this.outbox.add({ type: "page_view", at, duration, ...context, parent: parent?.span, url: page.url, nav, channel }, page);
  }

  private watchLoad(started: number, parent?: Context): void {
    const { page } = this.outbox;
    const context = this.context;
    const entry = performance.getEntriesByType("navigation")[0] as PerformanceNavigationTiming | undefined;
    // The page's own scripts may have tidied the address by now; the entry has the one that was opened.
    const channel = channelOf(new URL(entry?.name || location.href, location.href).search, document.referrer, location.hostname);
    this.pending = () => {
      this.pending = undefined;
      const landed = this.visits.current().id === this.visits.landing;
      this.tell(page, context, started, entry?.loadEventEnd || performance.now(), (entry?.type || "navigate").replace("_", "-"), parent, landed ? channel : undefined);
    };
    // loadEventEnd is known only after the handlers of load have run.
    const loaded = () => setTimeout(() => this.pending?.());
    if (document.readyState === "complete") loaded();
    else addEventListener("load", loaded);
    setTimeout(() => this.pending?.(), PATIENCE);
  }

  private changed(): void {
    if (bare(location.href) !== this.outbox.page.url) this.soft("soft");
  }

  private soft(nav: string): void {
    this.pending?.();
    this.outbox.flush();
    this.begin(Date.now(), nav, parseContext(probe().traceparent));
  }
}
