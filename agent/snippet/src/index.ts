// Sojourn's browser snippet: what a visit was like, told to the agent that served this file. The page talks to it by
// `sojourn(verb, …)`; calls made before it was loaded wait in `sojourn.q`. Nothing in here may ever break the page.

import { onCLS, onFCP, onINP, onLCP, onTTFB, type Metric } from "web-vitals";
import { hex } from "./ids";
import { watchErrors } from "./errors";
import { Outbox } from "./outbox";
import { Pages } from "./pages";
import { watchRage } from "./rage";
import { watchRequests } from "./requests";
import { Visits } from "./session";
import { consentWord, readSettings, type Settings } from "./settings";
import { cut, type Cart } from "./wire";

type Fields = Record<string, unknown>;
type Api = ((verb: string, ...given: unknown[]) => unknown) & { q?: ArrayLike<unknown>[]; on?: boolean };

const money = (value: unknown): number | undefined => (value == null || !isFinite(Number(value)) ? undefined : Number(value));
const text = (value: unknown): string | undefined => (value == null || value === "" ? undefined : cut(value, 128));

function start(settings: Settings): (verb: string, ...given: unknown[]) => unknown {
  const visits = new Visits(settings);
  const outbox = new Outbox(settings, visits);
  const pages = new Pages(outbox, visits);
  watchRequests(settings, outbox, pages);
  const thrown = watchErrors(outbox, pages);
  watchRage(outbox);

  const first = outbox.page;
  const vital = ({ name, value, delta, id, rating, navigationType }: Metric) =>
    outbox.add({ type: "web_vital", at: Date.now(), name, value, delta, id, rating, nav: navigationType }, navigationType === "back-forward-cache" ? outbox.page : first);
  for (const watch of [onLCP, onCLS, onINP, onFCP, onTTFB]) watch(vital);

  // After web-vitals, which hands in its last values on the same events.
  const bye = () => {
    pages.finish();
    outbox.flush(true);
  };
  addEventListener("visibilitychange", () => document.visibilityState === "hidden" && bye());
  addEventListener("pagehide", bye);

  const verbs: Record<string, (...given: any[]) => unknown> = {
    identify(who: Fields) {
      outbox.user = text(who?.user);
      outbox.account = text(who?.account);
    },
    consent: (word: unknown) => visits.decide(consentWord(word)),
    cart(cart?: Fields) {
      const value = money(cart?.value);
      outbox.setCart(value == null ? undefined : ({ value, currency: text(cart!.currency) } as Cart));
    },
    convert: (name: string, more: Fields = {}) =>
      outbox.add({ type: "conversion", at: Date.now(), name: cut(name, 128), value: money(more.value), currency: text(more.currency), order: text(more.order) }),
    event: (name: string, attributes: Fields = {}) => outbox.add({ type: "event", at: Date.now(), name: cut(name, 128), attributes }),
    action(name: string, more: Fields = {}) {
      const duration = money(more.duration) || 0;
      outbox.add({ type: "action", at: Date.now() - duration, duration, name: cut(name, 128), trace: pages.context.trace, span: hex(8), parent: pages.context.span });
    },
    survey: (answer: Fields) => outbox.add({ ...answer, comment: cut(answer.comment, 4000), type: "survey", at: Date.now() }),
    error: (fault: unknown) => thrown(fault),
    session: () => visits.current().id,
    flush: () => outbox.flush(),
  };
  return (verb, ...given) => verbs[verb]?.(...given);
}

const script = document.currentScript as HTMLScriptElement | null;
const waiting = (window as { sojourn?: Api }).sojourn;
const settings = readSettings(script);
if (!settings) console.warn("sojourn: the script tag needs data-app");
else if (!waiting?.on) {
  const run = start(settings);
  const api: Api = (verb, ...given) => {
    try {
      return run(verb, ...given);
    } catch (fault) {
      console.warn("sojourn:", fault);
    }
  };
  api.on = true;
  (window as { sojourn?: Api }).sojourn = api;
  for (const call of Array.from(waiting?.q || [])) api(...(Array.from(call) as [string]));
}
