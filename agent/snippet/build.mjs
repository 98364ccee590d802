// Bundles src/index.ts into the file the agent serves. `node build.mjs --check` only compares and exits 1 when it is stale.
import { build } from "esbuild";
import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { minify } from "terser";

const here = new URL(".", import.meta.url);
const out = new URL("../sojourn_agent/rum/rum.js", here);
const vitals = new URL("node_modules/web-vitals/dist/modules/", here).pathname;
const budget = 8192;
const banner = "/* Sojourn, with web-vitals (c) Google LLC; both Apache-2.0. Built from agent/snippet; do not edit. */";

// Soft navigations are told by our own page views. web-vitals' part for them, which is off unless asked for, is left out.
const SOFT = /entry\.entryType (=|!)== '(soft-navigation|interaction-contentful-paint)'/g;
const lean = {
  name: "lean-web-vitals",
  setup(build) {
    build.onLoad({ filter: /web-vitals.*\.js$/ }, ({ path }) => ({
      contents: path.endsWith("/softNavs.js")
        ? "export const checkSoftNavsEnabled = () => false, storeSoftNavEntry = () => {};"
        : readFileSync(path, "utf8").replace(SOFT, (_, sign) => `${sign === "!"}`),
      loader: "ts", // as TypeScript, class fields are plain assignments
    }));
  },
};

const result = await build({
  entryPoints: [new URL("src/index.ts", here).pathname],
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2020"],
  alias: { "web-vitals": `${vitals}index.js` },
  plugins: [lean],
  mangleProps: /^_[a-z]/, // web-vitals' own fields; `__sojourn` is the probe's
  tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } },
  charset: "utf8",
  legalComments: "none",
  write: false,
});
const { code } = await minify(result.outputFiles[0].text, { ecma: 2020, compress: { passes: 3 } });
const script = `${banner}\n${code}\n`;
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
