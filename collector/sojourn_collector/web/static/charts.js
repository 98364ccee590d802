// Draws the charts: reads the data from data-chart, the colours from the style sheet, so that they follow the reader's scheme. Each chart's table holds the same figures.
"use strict";
(() => {
  const drawn = new Map(); // element → {chart, data}
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const clock = (at) => new Date(at);

  const palette = () => ({ ink: colour("ink"), soft: colour("soft"), line: colour("line"), surface: colour("surface"), data: colour("data"), pale: colour("data-soft"), bad: colour("bad"), slow: colour("slow"), good: colour("good"), unknown: colour("unknown"), sans: colour("sans") });

  const seconds = (value) => (value < 0.9995 ? `${Math.round(value * 1000)} ms` : value < 9.95 ? `${value.toFixed(1)} s` : `${Math.round(value)} s`);

  // Rich text: ECharts' HTML tooltips carry inline styles, which the page's policy forbids, and would take names for markup.
  const tooltip = (c) => ({ trigger: "item", renderMode: "richText", confine: true, backgroundColor: c.surface, borderColor: c.line, padding: 8, textStyle: { color: c.ink, fontSize: 13 } });
  const axisText = (c) => ({ axisLabel: { color: c.soft, fontSize: 12, hideOverlap: true }, axisLine: { lineStyle: { color: c.line } }, axisTick: { show: false }, splitLine: { lineStyle: { color: c.line } } });

  const draw = {
    funnel(data, c) {
      const rows = data.rows;
      const unhit = rows.map((row) => row.reached - row.hit);
      return {
        grid: { left: 8, right: 96, top: 4, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
        xAxis: { type: "value", show: false },
        yAxis: { type: "category", inverse: true, data: rows.map((row) => row.name), ...axisText(c), axisLine: { show: false }, axisLabel: { color: c.ink, fontSize: 13, width: 130, overflow: "truncate" } },
        tooltip: { ...tooltip(c), formatter: (p) => { const row = rows[p.dataIndex]; return `${row.name}: ${row.reached}${row.hit ? `, ${row.hit} hit` : ""}`; } },
        series: [
          { type: "bar", stack: "people", data: unhit, barWidth: "58%", itemStyle: { color: c.pale } },
          { type: "bar", stack: "people", data: rows.map((row) => row.hit), itemStyle: { color: c.bad }, label: { show: true, position: "right", color: c.ink, fontSize: 13, formatter: (p) => { const row = rows[p.dataIndex]; return row.hit ? `${row.reached}, ${row.hit} hit` : `${row.reached}`; } } },
        ],
      };
    },
    durations(data, c) {
      const looks = { passed: [c.data, "circle", 8], degraded: [c.slow, "triangle", 10], failed: [c.bad, "path://M0 2L2 0L8 6L14 0L16 2L10 8L16 14L14 16L8 10L2 16L0 14L6 8Z", 11] };
      return {
        grid: { left: 8, right: 16, top: 16, bottom: 8, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
        xAxis: { type: "category", data: data.points.map((p) => p.time), ...axisText(c), splitLine: { show: false } },
        yAxis: { type: "value", min: 0, ...axisText(c), axisLabel: { color: c.soft, fontSize: 12, formatter: seconds } },
        tooltip: { ...tooltip(c), formatter: (p) => { const one = data.points[p.dataIndex]; return `${one.time}${one.location ? `, from ${one.location}` : ""}\n${one.outcome}, ${seconds(one.seconds)}`; } },
        series: [{ type: "scatter", data: data.points.map((one) => { const [color, symbol, size] = looks[one.outcome] ?? [c.unknown, "emptyCircle", 8]; return { value: one.seconds, symbol, symbolSize: size, itemStyle: { color } }; }) }],
      };
    },
    people(data, c) {
      const first = data.points[0].at;
      const zone = new Map(data.points.map((p) => [p.at, p.time]));
      return {
        grid: { left: 8, right: 16, top: 28, bottom: 8, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
        xAxis: { type: "value", min: first, max: data.points.at(-1).at, ...axisText(c), splitLine: { show: false }, interval: Math.max(1, (data.points.at(-1).at - first) / 4), axisLabel: { color: c.soft, fontSize: 12, hideOverlap: true, formatter: (at) => { const by = data.points.at(-1).at - first; const passed = (at - first) / 1000; return by < 120000 ? `+${Math.round(passed)} s` : by < 7200000 ? `+${Math.round(passed / 60)} min` : `+${(passed / 3600).toFixed(1)} h`; } } },
        yAxis: { type: "value", min: 0, minInterval: 1, ...axisText(c) },
        tooltip: { ...tooltip(c), trigger: "axis", formatter: ([p]) => `${zone.get(p.value[0]) ?? clock(p.value[0]).toISOString().slice(11, 19)}: ${p.value[1]} hit` },
        series: [{
          type: "line", step: "end", showSymbol: false, data: data.points.map((p) => [p.at, p.people]), lineStyle: { color: c.bad, width: 2 }, areaStyle: { color: c.bad, opacity: 0.1 }, itemStyle: { color: c.bad },
          markLine: { silent: true, symbol: "none", lineStyle: { color: c.soft, type: "dashed" }, label: { color: c.soft, fontSize: 12, position: "end", formatter: (p) => p.name }, data: data.marks.filter((m) => m.at >= first).map((m) => ({ xAxis: m.at, name: m.name })) },
        }],
      };
    },
    arms(data, c) {
      const names = data.points.map((p) => p.name);
      const trouble = data.points.findIndex((p) => p.part === "trouble");
      const line = (name, key, more) => ({ name, type: "line", data: data.points.map((p) => p[key]), connectNulls: true, symbol: "circle", ...more });
      return {
        grid: { left: 8, right: 16, top: 16, bottom: 8, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
        xAxis: { type: "category", data: names, boundaryGap: true, ...axisText(c), splitLine: { show: false } },
        yAxis: { type: "value", scale: true, max: (v) => Math.min(100, Math.ceil((v.max + 1) / 10) * 10), min: (v) => Math.max(0, Math.floor((v.min - 1) / 10) * 10), ...axisText(c), axisLabel: { color: c.soft, fontSize: 12, formatter: (value) => `${value}%` } },
        tooltip: { ...tooltip(c), trigger: "axis", formatter: (all) => { const p = data.points[all[0].dataIndex]; const said = (v) => (v === null ? "none" : `${v.toFixed(1)}%`); return `${p.part === "trouble" ? "trouble from" : "week of"} ${p.name}\nfixed journey ${said(p.fixed)}, untouched ${said(p.untouched)}`; } },
        series: [
          line("fixed journey", "fixed", { lineStyle: { color: c.data, width: 3 }, itemStyle: { color: c.data }, symbolSize: 7, markArea: trouble < 0 ? undefined : { silent: true, itemStyle: { color: c.bad, opacity: 0.12 }, label: { color: c.soft, fontSize: 12, position: "insideTop" }, data: [[{ name: "trouble", xAxis: Math.max(0, trouble - 0.5) }, { xAxis: trouble + 0.5 }]] } }),
          line("untouched journeys", "untouched", { lineStyle: { color: c.soft, width: 1.5, type: "dashed" }, itemStyle: { color: c.soft }, symbolSize: 5, markLine: data.lines.length ? { silent: true, symbol: "none", lineStyle: { color: c.soft, type: "dotted", width: 2 }, label: { color: c.soft, fontSize: 12, formatter: "configuration changed" }, data: data.lines.map((at) => ({ xAxis: at })) } : undefined }),
        ],
      };
    },
    // One measure over time. A part is what compares: no line and no band goes from one to the next, nor over what was not measured.
    history(data, c) {
      const { points, lines, measure } = data;
      const tone = measure === "people" ? c.data : c.bad;
      const unit = measure === "stopped" ? "%" : "";
      const of = (part, key) => points.map((p) => (p.part === part ? p[key] ?? null : null));
      const parts = [...new Set(points.map((p) => p.part))];
      const quiet = { type: "line", silent: true, showSymbol: false, connectNulls: false, lineStyle: { opacity: 0 }, tooltip: { show: false } };
      const series = parts.flatMap((part) => [
        ...(measure === "people" ? [{ type: "line", data: of(part, "apart"), symbol: "emptyCircle", symbolSize: 4, lineStyle: { color: c.soft, width: 1.5, type: "dashed" }, itemStyle: { color: c.soft } }] : [
          { ...quiet, stack: `band-${part}`, data: of(part, "low") },
          { ...quiet, stack: `band-${part}`, data: points.map((p) => (p.part === part && p.low !== null ? p.high - p.low : null)), areaStyle: { color: tone, opacity: 0.16 } },
        ]),
        { type: "line", data: of(part, "value"), symbol: "circle", symbolSize: points.length > 60 ? 3 : 5, lineStyle: { color: tone, width: 2 }, itemStyle: { color: tone } },
      ]);
      // By number: names would lie on one another on a phone. The list below the charts says which is which.
      const label = (number) => ({ formatter: `${number}`, color: c.ink, fontSize: 12, position: "end" });
      if (series.length) series[0].markLine = { silent: true, symbol: "none", animation: false, data: lines.map((one, index) => ({ xAxis: one.at, label: label(index + 1), lineStyle: one.kind === "break" ? { color: c.ink, type: "dotted", width: 2 } : { color: c.soft, type: "dashed", width: 1 } })) };
      const said = (value) => (value === null || value === undefined ? "not measured" : `${value}${unit}`);
      return {
        grid: { left: 8, right: 16, top: 22, bottom: 8, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
        xAxis: { type: "category", data: points.map((p) => p.name), boundaryGap: true, ...axisText(c), splitLine: { show: false } },
        yAxis: { type: "value", min: 0, minInterval: measure === "people" ? 1 : undefined, splitNumber: 3, ...axisText(c), axisLabel: { color: c.soft, fontSize: 12, formatter: (value) => `${value}${unit}` } },
        tooltip: { ...tooltip(c), trigger: "axis", formatter: (all) => {
          const at = all[0].dataIndex; const p = points[at];
          const range = p.low === null ? "" : ` [${p.low}–${p.high}${unit}]`;
          const apart = p.apart ? `\n${p.apart} visits without a name` : "";
          return [`${p.name}${p.open ? ", not over" : ""}: ${said(p.value)}${measure === "people" && p.value !== null ? " people" : ""}${range}${apart}`, ...lines.filter((one) => one.at === at).map((one) => one.name)].join("\n");
        } },
        series,
      };
    },
  };

  function show(element, again) {
    const data = element.dataset.chart;
    const before = drawn.get(element);
    if (before && before.data === data && !again) return;
    const chart = before?.chart ?? echarts.init(element);
    const c = palette();
    const told = JSON.parse(data);
    chart.setOption({ animation: !before && !still.matches, animationDuration: 250, textStyle: { fontFamily: c.sans }, ...draw[told.kind](told, c) }, true);
    drawn.set(element, { chart, data });
  }

  function all(again) {
    for (const [element, { chart }] of drawn) if (!element.isConnected) { chart.dispose(); drawn.delete(element); }
    for (const element of document.querySelectorAll("[data-chart]")) show(element, again === true);
  }

  all();
  document.addEventListener("sojourn:renewed", () => all());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => all(true));
  addEventListener("resize", () => { for (const { chart } of drawn.values()) chart.resize(); });
  addEventListener("beforeprint", () => { for (const { chart } of drawn.values()) chart.resize(); });
})();
