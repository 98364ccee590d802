// The visit: ends after 30 minutes without anything happening, or after 4 hours. With consent it is shared by all tabs and
// lives in localStorage together with the visitor id; without, nothing is stored on the device unless the site says `tab`.

import { hex } from "./ids";
import type { ConsentWord, Settings } from "./settings";

const KEY = "sojourn";
const IDLE = 30 * 60_000;
const LONGEST = 4 * 3600_000;

export interface Session {
  id: string;
  start: number;
  last: number;
  previous?: string;
  visitor?: string;
}

function read(store: Storage | undefined): Session | undefined {
  try {
    const found = JSON.parse(store!.getItem(KEY)!) as Session | null;
    return found && typeof found.id === "string" && found.start > 0 && found.last > 0 ? found : undefined;
  } catch {
    return undefined; // no storage in this browser, or somebody else's value
  }
}

function write(store: Storage | undefined, session: Session | undefined): void {
  try {
    if (session) store!.setItem(KEY, JSON.stringify(session));
    else store!.removeItem(KEY);
  } catch {
    // full or forbidden: the session lives on in memory
  }
}

function storage(name: "localStorage" | "sessionStorage"): Storage | undefined {
  try {
    return window[name];
  } catch {
    return undefined; // a sandboxed frame throws on the mere look
  }
}

export class Visits {
  consent: ConsentWord;
  /** The session that this page began, "" when it goes on with one. */
  landing: string;
  private now: Session;

  constructor(private settings: Settings) {
    const kept = read(storage("localStorage"));
    // Something is stored only after consent was given; a page that does not know better goes by that.
    this.consent = settings.consent === "unknown" && kept ? "granted" : settings.consent;
    const found = (this.consent === "granted" && kept) || (this.store && read(this.store));
    this.now = found || this.fresh();
    this.decide(this.consent);
    const { id } = this.current();
    this.landing = found?.id === id ? "" : id;
  }

  /** Consent given, withdrawn or unknown. Withdrawing forgets visitor and session at once. */
  decide(consent: ConsentWord): void {
    const before = this.consent;
    this.consent = consent;
    if (consent === "granted") {
      // What another tab began counts; what this tab began without consent is carried over.
      const kept = read(storage("localStorage"));
      if (kept && before !== consent) this.now = kept;
      this.now.visitor = this.now.visitor || hex(16);
      write(storage("sessionStorage"), undefined);
    } else {
      write(storage("localStorage"), undefined);
      if (before === "granted" || this.now.visitor) this.now = this.fresh();
    }
    if (this.settings.unconsented === "memory" && consent !== "granted") write(storage("sessionStorage"), undefined);
    write(this.store, this.now);
  }

  /** The session something happens in now; a new one when the last is over. */
  current(at = Date.now()): Session {
    const kept = read(this.store);
    // The newer knowledge wins: another tab may have gone on, or begun anew.
    if (kept && kept.last >= this.now.last) this.now = { ...kept, visitor: kept.visitor || this.now.visitor };
    const { id, last, start, visitor } = this.now;
    if (at - last > IDLE || at - start > LONGEST || at < start - IDLE) this.now = { ...this.fresh(at), previous: id, visitor };
    else this.now.last = at;
    write(this.store, this.now);
    return this.now;
  }

  private get store(): Storage | undefined {
    if (this.consent === "granted") return storage("localStorage");
    return this.settings.unconsented === "tab" ? storage("sessionStorage") : undefined;
  }

  private fresh(at = Date.now()): Session {
    return { id: hex(16), start: at, last: at };
  }
}
