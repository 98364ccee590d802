// Bundles src/index.ts into the file the agent serves. `node build.mjs --check` only compares and exits 1 when it is stale.
import { build } from "esbuild";
import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const here = new URL(".", import.meta.url);
const out = new URL("../sojourn_agent/rum/rum.js", here);
const budget = 8192;
const banner = "/* Sojourn browser snippet, Apache-2.0; contains web-vitals, (c) Google LLC, Apache-2.0. Built from agent/snippet; do not edit. */";

const result = await build({
  entryPoints: [new URL("src/index.ts", here).pathname],
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2020"],
  charset: "utf8",
  legalComments: "none",
  banner: { js: banner },
  write: false,
});
const script = result.outputFiles[0].text;
const size = gzipSync(script, { level: 9 }).length;
if (size > budget) {
  console.error(`snippet: ${size} bytes gzipped, over the ${budget} it may have`);
  process.exit(1);
}
if (process.argv.includes("--check")) {
  if (readFileSync(out, "utf8") !== script) {
    console.error("snippet: rum.js is stale; run make snippet and commit it");
    process.exit(1);
  }
} else {
  writeFileSync(out, script);
}
console.error(`snippet: ${script.length} bytes, ${size} gzipped of ${budget}`);
