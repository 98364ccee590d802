// The part of Apache ECharts the report uses: bars, lines and dots on a grid, drawn on a canvas.
// Canvas and not SVG: its marks are set by script on the canvas, so the page's policy may forbid inline styles.
import * as core from "echarts/core";
import { BarChart, LineChart, ScatterChart } from "echarts/charts";
import { GridComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { CanvasRenderer } from "echarts/renderers";

core.use([BarChart, LineChart, ScatterChart, GridComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent, CanvasRenderer]);

export const init = core.init;
