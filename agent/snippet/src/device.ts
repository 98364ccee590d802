// A coarse picture of the device: enough to compare groups, too little to recognise anybody.

import { cut } from "./wire";

const BROWSERS: [string, RegExp][] = [
  ["Edge", /Edg\w*\/(\d+)/],
  ["Opera", /OPR\/(\d+)/],
  ["Firefox", /(?:Firefox|FxiOS)\/(\d+)/],
  ["Samsung Internet", /SamsungBrowser\/(\d+)/],
  ["Chrome", /(?:Chrome|CriOS)\/(\d+)/],
  ["Safari", /Version\/(\d+).*Safari/],
];
const SYSTEMS: [string, RegExp][] = [
  ["Windows", /Windows/],
  ["Android", /Android/],
  ["iOS", /iPhone|iPad|iPod/],
  ["macOS", /Mac OS/],
  ["ChromeOS", /CrOS/],
  ["Linux", /Linux/],
];

type Connected = { connection?: { effectiveType?: string } };

export function device() {
  const agent = navigator.userAgent;
  let browser = "";
  for (const [name, pattern] of BROWSERS) {
    const found = pattern.exec(agent);
    if (found) {
      browser = `${name} ${found[1]}`;
      break;
    }
  }
  return {
    type: /iPad|Tablet|Android(?!.*Mobi)/.test(agent) ? "tablet" : /Mobi/.test(agent) ? "mobile" : "desktop",
    browser,
    os: SYSTEMS.find(([, pattern]) => pattern.test(agent))?.[0] || "",
    language: navigator.language,
    zone: cut(Intl.DateTimeFormat().resolvedOptions().timeZone, 64),
    network: (navigator as Connected).connection?.effectiveType,
    webdriver: !!navigator.webdriver,
  };
}
