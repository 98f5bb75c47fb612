// A line over time, drawn by uPlot in the colours of the page.
import { html, useEffect, useRef } from "./lib.js";
import { clock } from "./words.js";
import uPlot from "./vendor/uplot.mjs";

export function Chart({ title, times, values, words }) {
  const place = useRef(null);
  const plot = useRef(null);
  const known = values.filter((value) => value != null);
  useEffect(() => {
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    const axis = { stroke: color("--faint"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line") } };
    plot.current = new uPlot({
      width: Math.max(240, place.current.clientWidth),
      height: 140,
      legend: { show: false },
      cursor: { y: false },
      scales: { y: { range: (_, least, most) => [0, Math.max(most || 0, 1) * 1.1] } },
      axes: [{ ...axis, space: 80, values: (_, splits) => splits.map(clock) }, { ...axis, size: 70, values: (_, splits) => splits.map((value) => words(value)) }],
      series: [{}, { stroke: color("--accent"), width: 2, spanGaps: false }],
    }, [times, values], place.current);
    const box = place.current;
    const fit = new ResizeObserver(() => plot.current.setSize({ width: Math.max(240, box.clientWidth), height: 140 }));
    fit.observe(box);
    return () => {
      fit.disconnect();
      plot.current.destroy();
    };
  }, []);
  useEffect(() => plot.current?.setData([times, values]), [times]);
  const last = known.length ? words(known.at(-1)) : "not known";
  return html`<figure><figcaption>${title}: ${last}</figcaption><div ref=${place} class="chart" aria-hidden="true"></div></figure>`;
}
