// What the page's <script data-…> says, and what a probe of ours put into the page.

export type ConsentWord = "granted" | "denied" | "unknown";

export interface Settings {
  app: string;
  endpoint: string;
  consent: ConsentWord;
  release?: string;
  rate: number;
  /** Where an unconsented session may be kept: nowhere (it then ends with the page), or in the tab's sessionStorage. */
  unconsented: "memory" | "tab";
  traceOrigins: string[];
  traceOff: boolean;
}

export interface Probe {
  probe?: string;
  traceparent?: string;
}

export const consentWord = (word: unknown): ConsentWord => (word === "granted" || word === "denied" ? word : "unknown");

/** The script's settings, or null when it names no app. */
export function readSettings(script: HTMLScriptElement | null): Settings | null {
  const data = script?.dataset;
  if (!script || !data?.app) return null;
  const rate = Number(data.sample ?? 1);
  return {
    app: data.app,
    endpoint: new URL(data.endpoint || "/v1/beacons", script.src || location.href).href,
    consent: consentWord(data.consent),
    release: data.release,
    rate: rate > 0 && rate <= 1 ? rate : 1,
    unconsented: data.unconsented === "tab" ? "tab" : "memory",
    traceOrigins: (data.traceOrigins || "").split(/[\s,]+/).filter(Boolean),
    traceOff: data.trace === "off",
  };
}

/** What the probe that drives this browser wants to be known by. */
export const probe = (): Probe => (window as { __sojourn?: Probe }).__sojourn || {};
