// Made from probes/sojourn_probes/channels.py by `make schema`; do not edit.

export const SAID: [string, string][] = [
  ["email", "e[-_ ]?mails?|newsletters?"],
  ["messaging", "sms|push"],
  ["affiliate", "affiliates?|partners?"],
  ["offline", "offline|qr|print|tv"],
  ["display", "display|banners?|video|dclid"],
  ["social", "(paid)?social"],
  ["referral", "referral"],
];
export const NAMES: [string, string][] = [
  ["messaging", "whatsapp|telegram|t[.]me|messenger"],
  ["email", "g?mail|outlook|android[.]gm"],
  ["assistant", "chatgpt|openai|perplexity|claude|gemini|copilot"],
  ["social", "facebook|fb|instagram|ig|linkedin|lnkd|twitter|t[.]co|x[.]com|tiktok|youtube|pinterest|reddit|snapchat|threads|bsky|vk|(fb|tt|tw)clid"],
  ["search", "google|bing|yahoo|duckduckgo|ecosia|qwant|brave|yandex|baidu|naver|[gy]clid|msclkid|[gw]braid"],
];
export const CLICKS = "(d|fb|g|tt|tw|y)clid|msclkid|[gw]braid";
export const PAID = "cp[acmv]|ppc|paid(social|search)?|sem|ads?|(g|tt|tw|y)clid|msclkid|[gw]braid";
export const ASIDE = "accounts|login|signin|auth|sso|pay|checkout|paypal|klarna|stripe";
export const SITE = "[^.]+[.](com?[.])?[^.]+$";
