// npm ci && npm run build: writes the committed files under ../sojourn_collector/web/static/vendor.
import { build } from "esbuild";
import { copyFile, readFile, writeFile } from "node:fs/promises";

const target = new URL("../sojourn_collector/web/static/vendor/", import.meta.url);
const modules = new URL("./node_modules/", import.meta.url);

await build({
  entryPoints: ["charts.mjs"],
  bundle: true,
  minify: true,
  format: "iife",
  globalName: "echarts",
  target: "es2020",
  legalComments: "none",
  define: { "process.env.NODE_ENV": '"production"' },
  banner: { js: "/*! Apache ECharts 6.1.0 (Apache-2.0) with zrender (BSD-3-Clause) and tslib (0BSD), only what the report draws. Licences: echarts.LICENSE.txt */" },
  outfile: new URL("echarts.js", target).pathname,
});

const htmx = await readFile(new URL("htmx.org/dist/htmx.min.js", modules), "utf8");
await writeFile(new URL("htmx.js", target), `/*! htmx 4.0.1 (0BSD). Licence: htmx.LICENSE.txt */\n${htmx.replace(/\n?\/\/# sourceMappingURL=.*\n?$/, "\n")}`);
await copyFile(new URL("htmx.org/LICENSE", modules), new URL("htmx.LICENSE.txt", target));

const texts = ["echarts/NOTICE", "echarts/LICENSE", "echarts/licenses/LICENSE-d3", "zrender/LICENSE", "tslib/LICENSE.txt"];
const parts = [];
for (const name of texts) parts.push(`==== ${name} ====\n\n${(await readFile(new URL(name, modules), "utf8")).trim()}\n`);
await writeFile(new URL("echarts.LICENSE.txt", target), parts.join("\n"));
