// How the visit came about, as one word of a closed list; the rules are those of sojourn_probes/channels.py. The query and the
// address of the page before are looked at here and never leave the browser.

import { ASIDE, CLICKS, NAMES, PAID, SAID, SITE } from "./channel_rules";

const has = (words: string, text: string) => RegExp(`(^|[^a-z])(${words})([^a-z]|$)`).test(text);
const first = (rules: [string, string][], text: string) => rules.find(([, words]) => has(words, text))?.[0];
const site = (host: string) => RegExp(SITE).exec(host)?.[0] || host;

/** undefined when the page was no arrival: come to from the same site, or back from signing in or paying. */
export function channelOf(query: string, referrer: string, host: string): string | undefined {
  const asked = RegExp(`[?&](?:utm_(?:medium|source)=([^&]*)|(${CLICKS})=)`, "g");
  const said = [...query.toLowerCase().matchAll(asked)].map((found) => found[1] || found[2]).join(" ").trim();
  const far = /\/\/(.+?)(:\d+)?([/?#]|$)/.exec(referrer.toLowerCase())?.[1];
  if (far && (site(far) === site(host) || (!said && has(ASIDE, far)))) return;
  const channel = first(SAID, said) || first(NAMES, `${said} ${far || ""}`) || (said ? "other" : far ? "referral" : "direct");
  return has(PAID, said) && /^(search|social|other)$/.test(channel) ? `paid_${channel}`.replace("_other", "") : channel;
}
