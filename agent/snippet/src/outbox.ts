// Gathers items and sends them: a second after the first, and at once when the page is hidden. A beacon keeps its id over
// every try, and the intake stores an id once, so trying again is safe.

import { device } from "./device";
import { fraction, hex } from "./ids";
import type { Visits } from "./session";
import { probe, type Settings } from "./settings";
import type { Cart, Item, Page } from "./wire";

const SOON = 1000;
const LARGEST = 60_000; // browsers give sendBeacon and keepalive 64 KiB together
const MOST = 150;
const WAITS = [2000, 5000, 15000];
const plainFetch = window.fetch?.bind(window);

export class Outbox {
  user?: string;
  account?: string;
  page!: Page;
  cart?: Cart;
  private items: Item[] = [];
  private timer = 0;
  private unanswered = new Map<string, string>();

  constructor(
    private settings: Settings,
    private visits: Visits,
  ) {}

  /** Take something that happened; `page` is where, when it is not the page of now. */
  add(item: Item, page: Page = this.page): void {
    item.at = Math.round(item.at);
    if (page !== this.page) item.page = page;
    const session = this.visits.current();
    if (this.session && this.session !== session.id) this.flush();
    this.session = session.id;
    this.items.push(item);
    if (this.items.length >= MOST) this.flush();
    this.timer ||= window.setTimeout(() => this.flush(), SOON);
  }
  private session = "";

  /** A new cart; what is waiting happened with the old one. */
  setCart(cart: Cart | undefined): void {
    this.flush();
    this.cart = cart;
  }

  /** Send what waits. `last` when the page may not live on: then by sendBeacon, with what was not answered yet. */
  flush(last = false): void {
    clearTimeout(this.timer);
    this.timer = 0;
    const items = this.items;
    this.items = [];
    this.post(items, last);
    if (last) for (const body of this.unanswered.values()) navigator.sendBeacon?.(this.settings.endpoint, body);
  }

  private post(items: Item[], last: boolean): void {
    if (!items.length) return;
    const now = this.visits.current();
    const mark = probe().probe;
    const id = hex(16);
    this.session = now.id;
    if (!mark && fraction(now.id) >= this.settings.rate) return;
    const granted = this.visits.consent === "granted";
    const body = JSON.stringify({
      v: 1,
      id,
      app: this.settings.app,
      sent: Date.now(),
      session: { id: now.id, start: now.start, previous: now.previous },
      consent: this.visits.consent,
      visitor: granted ? now.visitor : undefined,
      user: granted ? this.user : undefined,
      account: granted ? this.account : undefined,
      sample_rate: mark ? 1 : this.settings.rate,
      release: this.settings.release,
      page: this.page,
      device: device(),
      cart: this.cart,
      probe: mark,
      items,
    });
    if (body.length > LARGEST / 3 && new Blob([body]).size > LARGEST && items.length > 1) {
      this.post(items.slice(0, items.length / 2), last);
      this.post(items.slice(items.length / 2), last);
    } else if (!(last && navigator.sendBeacon?.(this.settings.endpoint, body))) {
      this.send(id, body, 0);
    }
  }

  private send(id: string, body: string, tries: number): void {
    if (!plainFetch) {
      navigator.sendBeacon?.(this.settings.endpoint, body);
      return;
    }
    this.unanswered.set(id, body);
    const again = () => {
      const wait = WAITS[tries];
      if (wait && this.unanswered.size < 20) setTimeout(() => this.unanswered.has(id) && this.send(id, body, tries + 1), wait);
      else this.unanswered.delete(id);
    };
    // A text body needs no preflight.
    plainFetch(this.settings.endpoint, { method: "POST", body, keepalive: true, credentials: "omit", headers: { "content-type": "text/plain" } }).then((answer) => {
      if (answer.status === 429 || answer.status === 408 || answer.status >= 500) again();
      else this.unanswered.delete(id);
    }, again);
  }
}
