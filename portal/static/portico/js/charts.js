// How a file's answers are spread, about a model's page (page.json, docs/contract.md section 9), drawn as
// templates/predictions/_batch_charts.html draws it, element for element, but for the training data: no page.json has it.

import { classWord } from "./answer.js";
import { element, svg } from "./drawing.js";
import { count, figure, general } from "./numbers.js";

const SIGNIFICANT = 4;

/** The charts, or null where nothing was counted.

    The second is a job's `distribution`: section 8. */
export function drawCharts(page, { classes, bands, histogram }) {
  const parts = [
    classes?.length && drawClasses(page, classes),
    bands?.length && drawBands(page, bands),
    histogram?.counts.some((rows) => rows > 0) && drawHistogram(page, histogram),
  ].filter(Boolean);
  return parts.length ? element("div", { class: "charts" }, parts) : null;
}

function drawClasses(page, classes) {
  const bars = classes.map(([name, rows]) => ({ word: classWord(page, name), rows }));
  bars.sort((one, other) => other.rows - one.rows);
  return drawSection("classes", page.result_label, drawBars(bars, { of: "class", head: "Class" }));
}

function drawBands(page, bands) {
  const tones = new Map(page.bands.map(({ label, tone }) => [label, tone]));
  const bars = bands.map(([word, rows]) => ({ word, rows, tone: tones.get(word) ?? "neutral" }));
  return drawSection("bands", "In words", drawBars(bars, { of: "band", head: "Wording" }));
}

function drawSection(name, heading, content) {
  const title = element("h2", { id: `${name}-title` }, heading);
  return element("section", { "aria-labelledby": `${name}-title` }, title, content);
}

function drawBars(bars, { of, head }) {
  const all = bars.reduce((sum, { rows }) => sum + rows, 0) || 1;
  const heads = [head, "Picture", "Rows"].map((word) => element("th", { scope: "col" }, word));
  const lines = bars.map(({ word, rows, tone }) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, word),
      element("td", { class: "picture" }, drawBar((100 * rows) / all, tone)),
      element("td", { class: "number" }, count(rows)),
    ),
  );
  return element(
    "table",
    { class: "bars panel" },
    element("caption", { class: "hidden" }, `Rows of each ${of}`),
    element("thead", { class: "hidden" }, element("tr", {}, heads)),
    element("tbody", {}, lines),
  );
}

function drawBar(percent, tone) {
  const place = { y: 1, height: 12, rx: 3 };
  return svg(
    "svg",
    { width: "100%", height: 14, "aria-hidden": "true", focusable: "false" },
    svg("rect", { class: "track", width: "100%", ...place }),
    svg("rect", { class: tone ? `fill tone-${tone}` : "fill", width: `${percent.toFixed(3)}%`, ...place }),
  );
}

function drawHistogram(page, { of, edges, counts }) {
  const axis = axisOf(page, of);
  const top = Math.max(...counts);
  const width = 100 / counts.length;
  const between = (place) => [edges[place], edges[place + 1]].map((edge) => general(edge, SIGNIFICANT));
  const columns = counts.map((rows, place) => {
    const height = (100 * rows) / top;
    const box = { x: place * width, y: 100 - height, width, height };
    for (const [name, percent] of Object.entries(box)) box[name] = percent.toFixed(3);
    const title = svg("title", {}, `${between(place).join(" to ")}: ${rows} rows`);
    return svg("rect", { class: "fill", ...box }, title);
  });
  const ends = [edges[0], edges.at(-1)].map((edge) => general(edge, SIGNIFICANT));
  const most = `most rows (${top}) lie between ${between(counts.indexOf(top)).join(" and ")}`;
  const label = `${axis}, from ${ends.join(" to ")}; ${most}`;
  const picture = { viewBox: "0 0 100 100", preserveAspectRatio: "none", role: "img", "aria-label": label };
  const caption = element(
    "figcaption",
    {},
    element("span", {}, figure(edges[0])),
    element("span", {}, "most in one column: ", count(top), ` row${top === 1 ? "" : "s"}`),
    element("span", {}, figure(edges.at(-1))),
  );
  return drawSection("histogram", axis, element("figure", { class: "panel histogram" }, svg("svg", picture, columns), caption));
}

function axisOf(page, of) {
  const prefix = "probability of ";
  if (of.startsWith(prefix)) return `Probability of ${classWord(page, of.slice(prefix.length))}`;
  return page.result_unit ? `${page.result_label} (${page.result_unit})` : page.result_label;
}
