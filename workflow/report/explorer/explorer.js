// The explorer. The address's fragment is the view: what a reader chooses is written there, and
// `show` reads it and draws everything. All text enters the page as text, never as markup.
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const LETTERS = "ABCDEF"; // of the rows compared, at most so many
const DASHES = ["", "9 4", "2 3", "12 3 2 3", "16 5", "6 2 1 2 1 2"];
const ANY = "any";
const DASH = "–";
const collator = new Intl.Collator("en", { numeric: true });
const find = (id) => document.getElementById(id);

// --- Elements ---------------------------------------------------------------------------------

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

const el = (tag, attributes = {}, ...children) =>
  filled(document.createElement(tag), attributes, children);
const svg = (tag, attributes = {}, ...children) =>
  filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
const letter = (i) => el("span", { class: `letter c${i}` }, LETTERS[i]);

// --- Numbers ----------------------------------------------------------------------------------

function number(value, digits = 1, signed = false) {
  if (value === null || Number.isNaN(value)) return DASH;
  const text = Math.abs(value).toFixed(digits);
  const sign = value < 0 && Number(text) !== 0 ? "−" : signed ? "+" : "";
  return sign + text;
}

const interval = (low, high, signed = false) =>
  low === null || Number.isNaN(low)
    ? DASH
    : `[${number(low, 1, signed)}, ${number(high, 1, signed)}]`;

function probability(p) {
  if (p < 0.001) return "p < 0.001";
  return `p = ${p.toFixed(p < 0.1 ? 3 : 2)}`;
}

// An array that Python's `encoded` wrote.
const decoded = new Map();
function array(text, kind) {
  if (!decoded.has(text)) {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    decoded.set(text, new kind(bytes.buffer));
  }
  return decoded.get(text);
}

// --- The view and its address -----------------------------------------------------------------

const key = (group) => `${group.dataset}/${group.classes}`;

function classesTitle(classes) {
  const numbers = classes.replace(/^\D+/, "").replaceAll("_", ", ");
  if (classes.startsWith("not")) return `trained without class ${numbers}`;
  return classes.startsWith("only") ? `trained on class ${numbers}` : "trained on all classes";
}

// The view of a fragment; what is unknown or missing is as at first.
function parsed(fragment) {
  const asked = new URLSearchParams(fragment.replace(/^#/, ""));
  const get = (name, known, standard) => (known.includes(asked.get(name)) ? asked.get(name) : standard);
  const list = (name) => (asked.get(name) ?? "").split(",").filter(Boolean);
  const group = data.groups.find((each) => key(each) === asked.get("fits")) ?? data.groups[0];
  const task = group.tasks.find((each) => each.name === asked.get("task")) ?? group.tasks[0];
  const kinds = (name) => [...new Set(group.rows.map((row) => row[name]))];
  const measure = get("measure", Object.keys(data.measures), Object.keys(data.measures)[0]);
  const view = {
    group,
    task,
    measure,
    evidence: get("evidence", [ANY, ...kinds("evidence")], "all"),
    layer: get("layer", [ANY, "highest", ...kinds("layer").filter((layer) => layer !== "top")], "highest"),
    score: get("score", [ANY, ...kinds("score")], "score"),
    without: list("without").filter((name) => name in group.methods),
    sort: asked.get("sort") ?? "",
  };
  if (!columns(view).some((column) => column.name === view.sort.replace(/^-/, "") && column.sort)) {
    view.sort = data.measures[measure].higher ? "-value" : "value";
  }
  const ids = new Map(group.rows.map((row, i) => [row.id, i]));
  const indices = (name) => list(name).map((id) => ids.get(id)).filter((i) => i !== undefined);
  view.rows = asked.has("rows") ? [...new Set(indices("rows"))].slice(0, LETTERS.length) : leading(view);
  const pair = indices("pair");
  const [first = 0, second = Math.min(1, group.rows.length - 1)] = view.rows;
  view.pair = pair.length === 2 ? pair : [first, second];
  view.ownPair = pair.length === 2;
  return view;
}

// The best row of each of the three best methods.
function leading(view) {
  const best = new Map();
  for (const i of sorted(view, data.measures[view.measure].higher ? "-value" : "value")) {
    const method = view.group.rows[i].method;
    if (cell(view, i) && !best.has(method)) best.set(method, i);
  }
  return [...best.values()].slice(0, 3);
}

function address(view) {
  const id = (i) => view.group.rows[i].id;
  const parts = {
    fits: key(view.group),
    task: view.task.name,
    measure: view.measure,
    evidence: view.evidence,
    layer: view.layer,
    score: view.score,
    without: view.without.join(","),
    rows: view.rows.map(id).join(","),
    pair: view.ownPair ? view.pair.map(id).join(",") : "",
    sort: view.sort,
  };
  const shown = Object.entries(parts).filter(([name, text]) => text || name === "rows");
  const escaped = (text) => encodeURIComponent(text).replaceAll("%2F", "/").replaceAll("%2C", ",");
  return "#" + shown.map(([name, text]) => `${name}=${escaped(text)}`).join("&");
}

// Write a change to the address, which shows it.
function change(changes) {
  location.replace(address({ ...current, ...changes }));
}

// --- Rows and columns -------------------------------------------------------------------------

const cell = (view, i, measure = view.measure) => view.task.cells[measure][i];

function reason(view, i) {
  const reasons = view.task.reasons[i];
  return typeof reasons === "string" ? reasons : reasons[view.measure];
}

const layerTitle = (row) => (row.layer === "top" ? DASH : `${row.layer}${row.top ? " (highest)" : ""}`);
const evidenceTitle = (name) => data.evidence[name] ?? name;
const wayTitle = (name) => data.ways[name] ?? name;

function details(row) {
  const layer = row.layer === "top" ? "" : `layer ${row.layer}`;
  const way = row.score === "score" ? "" : wayTitle(row.score);
  const protocols = row.protocols.length ? `${row.protocols.join(", ")} protocol` : "";
  return [evidenceTitle(row.evidence), layer, way, protocols].filter(Boolean).join(", ");
}

const fullName = (row) => `${row.model}, ${details(row)}${row.point ? `, ${row.point}` : ""}`;

// Columns of the table: `of` gives the sorting key of a row, `text` what is shown.
function columns(view) {
  const rows = view.group.rows;
  const at = (i, place) => cell(view, i)?.[place] ?? null;
  const text = (name, title, of) => ({ name, title, of, text: of, sort: true });
  return [
    { ...text("model", "model", (i) => rows[i].model), head: true },
    {
      name: "value", title: `${data.measures[view.measure].title}, %`, sort: true, kind: "value",
      of: (i) => at(i, 1),
      text: (i) => number(at(i, 1)) + (at(i, 2) === null ? "" : ` ± ${number(at(i, 2))}`),
    },
    { name: "chart", title: "", kind: "wide" },
    {
      name: "seeds", title: "95 % over seeds", sort: true, kind: "numbers",
      of: (i) => at(i, 3), text: (i) => interval(at(i, 3), at(i, 4)),
    },
    ...(view.measure === "auroc"
      ? [{
          name: "images", title: "95 % over test images", sort: true, kind: "numbers",
          of: (i) => at(i, 5), text: (i) => interval(at(i, 5), at(i, 6)),
        }]
      : []),
    {
      name: "n", title: "seeds", sort: true, kind: "numbers", of: (i) => at(i, 0) ?? 0,
      text: (i) => (at(i, 0) === rows[i].seeds.length ? `${at(i, 0)}` : `${at(i, 0) ?? 0} of ${rows[i].seeds.length}`),
    },
    text("evidence", "evidence", (i) => evidenceTitle(rows[i].evidence)),
    text("layer", "layer", (i) => layerTitle(rows[i])),
    text("score", "scored by", (i) => wayTitle(rows[i].score)),
    text("protocols", "chosen under", (i) => rows[i].protocols.join(", ")),
    text("point", "grid point", (i) => rows[i].point),
    { ...text("note", "note", (i) => (cell(view, i) ? reason(view, i) : "")), kind: "note" },
  ];
}

function listed(view) {
  const { evidence, layer, score, without, group } = view;
  return group.rows.flatMap((row, i) => {
    const control = row.method === row.id; // has no choices
    const kept =
      !without.includes(row.method) &&
      (control ||
        ((evidence === ANY || row.evidence === evidence) &&
          (layer === ANY || (layer === "highest" ? row.top : row.layer === layer)) &&
          (score === ANY || row.score === score)));
    return kept ? [i] : [];
  });
}

// Rows of the table by a column, `-` before it if descending; those without a value last.
function sorted(view, sort = view.sort) {
  const { of } = columns(view).find((column) => column.name === sort.replace(/^-/, ""));
  const sign = sort.startsWith("-") ? -1 : 1;
  const isEmpty = (value) => value === null || value === "" || value === DASH;
  return listed(view).sort((one, other) => {
    const [a, b] = [of(one), of(other)];
    if (isEmpty(a) || isEmpty(b)) return isEmpty(a) - isEmpty(b);
    return sign * (typeof a === "number" ? a - b : collator.compare(a, b));
  });
}

function best(view, rows) {
  const values = rows.map((i) => cell(view, i)?.[1]).filter((value) => value !== undefined);
  return data.measures[view.measure].higher ? Math.max(...values) : Math.min(...values);
}

// --- Choices ----------------------------------------------------------------------------------

function options(id, choices, chosen) {
  const select = find(id);
  const signature = JSON.stringify(choices);
  if (select.dataset.choices !== signature) {
    select.dataset.choices = signature;
    const groups = new Map();
    for (const [value, title, heading = ""] of choices) {
      groups.set(heading, [...(groups.get(heading) ?? []), el("option", { value }, title)]);
    }
    const parts = [...groups].flatMap(([label, of]) => (label ? el("optgroup", { label }, ...of) : of));
    select.replaceChildren(...parts);
  }
  select.value = chosen;
}

function showChoices(view) {
  const { group } = view;
  options("fits", data.groups.map((each) => [key(each), `${each.title}, ${classesTitle(each.classes)}`]), key(group));
  options("task", group.tasks.map((task) => [task.name, task.title, task.distance]), view.task.name);
  options("measure", Object.entries(data.measures).map(([name, { title }]) => [name, title]), view.measure);
  const kinds = (name) => [...new Set(group.rows.map((row) => row[name]))].sort(collator.compare);
  options("evidence", [...kinds("evidence").map((name) => [name, evidenceTitle(name)]), [ANY, "any"]], view.evidence);
  const layers = kinds("layer").filter((layer) => layer !== "top");
  options("layer", [["highest", "highest"], ...layers.map((layer) => [layer, layer]), [ANY, "any"]], view.layer);
  options("score", [...kinds("score").map((name) => [name, wayTitle(name)]), [ANY, "any"]], view.score);
  const boxes = Object.entries(group.methods).map(([name, title]) => {
    const box = el("input", { type: "checkbox", id: `method-${name}`, checked: !view.without.includes(name) });
    box.addEventListener("change", () => {
      const without = view.without.filter((each) => each !== name);
      change({ without: box.checked ? without : [...without, name] });
    });
    return el("label", {}, box, title);
  });
  find("methods").replaceChildren(find("methods").firstElementChild, ...boxes);
  const rows = group.rows.map((row, i) => {
    const place = view.rows.indexOf(i);
    const name = `${fullName(row)}${cell(view, i, "auroc") ? "" : " (no result)"}`;
    return [String(i), place < 0 ? name : `${LETTERS[place]}: ${name}`];
  });
  options("first", rows, String(view.pair[0]));
  options("second", rows, String(view.pair[1]));
}

// --- The table --------------------------------------------------------------------------------

function showTable(view) {
  const { task, group } = view;
  const rows = sorted(view);
  const measure = data.measures[view.measure];
  const title = `${group.title}, ${classesTitle(group.classes)}: ${task.title}`;
  find("heading").textContent = title;
  const part = (side) => (side.n ? `${side.n.toLocaleString("en")} images of “${side.title}”` : `none, of “${side.title}”`);
  find("about").textContent =
    `Inliers: ${part(task.inliers)}. Outliers (${task.distance}): ${part(task.outliers)}; source: ${task.source}. ` +
    `${measure.title}: ${measure.higher ? "higher" : "lower"} is better; ★ marks the best row shown. ` +
    `${rows.length} of ${group.rows.length} rows${rows.length ? "" : ": none fits the choices above"}.`;

  const top = best(view, rows);
  const ends = rows.flatMap((i) => (cell(view, i) ?? []).slice(1).filter((value, place) => place !== 1 && value !== null));
  const axis = [Math.floor(Math.min(...ends, 100) / 10) * 10, Math.ceil(Math.max(...ends, 0) / 10) * 10];
  if (!(axis[0] < axis[1])) axis.splice(0, 2, 0, 100);
  const shown = columns(view);
  const heads = shown.map((column) => {
    if (!column.sort) return el("td", { class: column.kind }, `${axis[0]} to ${axis[1]} %`);
    const direction = { [column.name]: "ascending", [`-${column.name}`]: "descending" }[view.sort];
    const button = el("button", { type: "button", id: `sort-${column.name}` }, column.title);
    button.addEventListener("click", () =>
      change({ sort: view.sort === column.name ? `-${column.name}` : column.name }));
    return el("th", { scope: "col", "aria-sort": direction ?? null }, button);
  });
  const body = rows.map((i) => {
    const isBest = cell(view, i)?.[1] === top;
    const isMissing = !cell(view, i); // why stands in place of its intervals
    return el("tr", { class: isBest ? "best" : null }, ...shown.map((column) => {
      if (column.head) return el("th", { scope: "row" }, tick(view, i));
      if (isMissing && column.name === "chart") return el("td", { class: "note", colspan: view.measure === "auroc" ? 3 : 2 }, reason(view, i));
      if (isMissing && ["seeds", "images"].includes(column.name)) return null;
      if (column.name === "chart") return el("td", { class: "wide" }, track(cell(view, i), axis));
      const star = isBest && column.name === "value" ? el("span", { role: "img", "aria-label": "best" }, "★ ") : null;
      return el("td", { class: column.kind ?? null }, star, column.text(i));
    }));
  });
  find("table").replaceChildren(
    el("caption", {}, `${title}, ${measure.title}`),
    el("thead", {}, el("tr", {}, ...heads)),
    el("tbody", {}, ...body),
  );
}

// A row's name with a box to compare it.
function tick(view, i) {
  const row = view.group.rows[i];
  const place = view.rows.indexOf(i);
  const box = el("input", {
    type: "checkbox", id: `compare-${i}`, checked: place >= 0, "aria-label": `compare ${fullName(row)}`,
    disabled: place < 0 && view.rows.length >= LETTERS.length,
  });
  box.addEventListener("change", () =>
    change({ rows: box.checked ? [...view.rows, i] : view.rows.filter((each) => each !== i) }));
  return el("label", {}, box, place < 0 ? null : letter(place), el("span", {}, row.model, el("small", {}, details(row))));
}

// Mean (dot) with the interval over seeds (thick) and over test images (line with ends).
function track(numbers, [low, high]) {
  const box = svg("svg", { viewBox: "0 0 200 18", "aria-hidden": "true", class: "c0" });
  const x = (value) => 4 + (192 * (value - low)) / (high - low);
  box.append(svg("path", { class: "axis", d: "M4 9H196" }));
  if (!numbers) return box;
  const [, mean, , start, stop, imagesLow, imagesHigh] = numbers;
  if (start !== null) box.append(svg("path", { class: "line", "stroke-width": 6, style: "stroke-width:6;opacity:.4", d: `M${x(start)} 9H${x(stop)}` }));
  if (imagesLow != null) box.append(svg("path", { class: "line", style: "stroke-width:1.5", d: `M${x(imagesLow)} 4v10M${x(imagesLow)} 9H${x(imagesHigh)}M${x(imagesHigh)} 4v10` }));
  box.append(svg("circle", { cx: x(mean), cy: 9, r: 3.5, fill: "currentColor" }));
  return box;
}

function download() {
  const view = current;
  const quoted = (value) => (/[",\r\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value);
  const head = ["dataset", "classes", "task", "measure", "model", "grid_point", "evidence", "layer", "score",
    "protocols", "n", "mean", "std", "ci_low", "ci_high", "test_low", "test_high", "reason"];
  const lines = sorted(view).map((i) => {
    const row = view.group.rows[i];
    const numbers = Array.from({ length: 7 }, (_, place) => cell(view, i)?.[place] ?? (place ? "" : 0));
    return [view.group.dataset, view.group.classes, view.task.name, view.measure, row.model, row.point,
      row.evidence, row.layer, row.score, row.protocols.join(" "), ...numbers, reason(view, i)];
  });
  const text = [head, ...lines].map((line) => line.map(quoted).join(",") + "\n").join("");
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  el("a", { href: url, download: `${view.group.dataset}-${view.task.name}-${view.measure}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

// --- Curves, histograms and images of the compared rows ---------------------------------------

function showCompared(view) {
  const rows = view.rows.map((i, place) => ({ i, place, row: view.group.rows[i] }));
  const able = rows.filter(({ i }) => view.task.ranges[i] !== null);
  find("hint").textContent = rows.length
    ? "Curves are means over seeds. The dotted line is at 95 % of the inliers kept, the diagonal is guessing." +
      (rows.length < LETTERS.length ? "" : ` To compare another row than these ${LETTERS.length}, untick one.`)
    : `Tick up to ${LETTERS.length} rows of the table.`;
  find("curves").replaceChildren(...(able.length ? [curves(view, able)] : []));
  find("legend").replaceChildren(...rows.map((each) => legend(view, each)));
  find("histograms").replaceChildren(...able.map((each) => histogram(view, each)));
  find("images").replaceChildren(...rows.map((each) => images(view, each)));
}

const curve = (view, i) => {
  const n = data.steps + 1;
  return array(view.task.curves, Uint8Array).subarray(i * n, (i + 1) * n);
};
const rejected = (view, i, kept) => (100 * curve(view, i)[Math.round((kept * data.steps) / 100)]) / data.levels;
const rejectedAt95 = (view, i) => number(100 - cell(view, i, "fpr95")[1]);

function curves(view, rows) {
  const [left, top, size] = [42, 8, 300];
  const x = (share) => left + (share * size) / 100;
  const y = (share) => top + size - (share * size) / 100;
  const said = rows.map(({ i, place }) => `${LETTERS[place]} rejects ${rejectedAt95(view, i)} %`);
  const chart = svg("svg", {
    viewBox: "0 0 360 350", role: "img",
    "aria-label": `Curves. Where 95 % of the inliers are kept, ${said.join(", ")} of the outliers.`,
  });
  for (const share of [0, 25, 50, 75, 100]) {
    chart.append(
      svg("path", { class: "axis", d: `M${x(share)} ${top}V${y(0)}M${left} ${y(share)}H${x(100)}` }),
      svg("text", { x: x(share), y: y(0) + 15, "text-anchor": "middle", class: "soft" }, `${share}`),
      svg("text", { x: left - 5, y: y(share) + 4, "text-anchor": "end", class: "soft" }, `${share}`),
    );
  }
  chart.append(
    svg("path", { class: "guide", d: `M${x(0)} ${y(100)}L${x(100)} ${y(0)}M${x(95)} ${y(0)}V${top}` }),
    svg("text", { x: x(50), y: y(0) + 32, "text-anchor": "middle" }, "inliers kept, %"),
    svg("text", { transform: `translate(11 ${y(50)}) rotate(-90)`, "text-anchor": "middle" }, "outliers rejected, %"),
  );
  const badges = rows.map(({ i, place }) => {
    const points = Array.from(curve(view, i), (share, k) => `${x((100 * k) / data.steps).toFixed(1)} ${y((100 * share) / data.levels).toFixed(1)}`);
    chart.append(svg("path", { class: `line c${place}`, "stroke-dasharray": DASHES[place] || null, d: `M${points.join("L")}` }));
    const kept = 92 - 14 * place; // apart along the curves, so that no two cover each other
    const at = [x(kept), y(rejected(view, i, kept))];
    return svg("g", { class: `c${place}` },
      svg("circle", { class: "badge", cx: at[0], cy: at[1], r: 8.5 }),
      svg("text", { class: "name", x: at[0], y: at[1] + 4.2 }, LETTERS[place]));
  });
  chart.append(...badges);
  return chart;
}

function legend(view, { i, place, row }) {
  const sample = svg("svg", { viewBox: "0 0 44 10", "aria-hidden": "true", class: `c${place}` },
    svg("path", { class: "line", "stroke-dasharray": DASHES[place] || null, d: "M0 5H44" }));
  const about = cell(view, i)
    ? `${data.measures[view.measure].title} ${number(cell(view, i)[1])} %; rejects ${rejectedAt95(view, i)} % of the outliers where 95 % of the inliers are kept`
    : `no result: ${reason(view, i)}`;
  const settings = Object.entries(row.settings).map(([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`);
  return el("li", {}, letter(place), sample, el("span", {}, el("b", {}, row.model), `, ${details(row)}. ${about}. `,
    el("small", {}, settings.length ? `Settings: ${settings.join(", ")}` : "")));
}

function histogram(view, { i, place, row }) {
  const counts = array(view.task.histograms, Uint16Array).subarray(2 * i * data.bins, 2 * (i + 1) * data.bins);
  const sides = [counts.subarray(0, data.bins), counts.subarray(data.bins)];
  const shares = sides.map((side) => {
    const total = side.reduce((sum, count) => sum + count, 0);
    return Array.from(side, (count) => count / total);
  });
  const most = Math.max(...shares.flat());
  const [width, middle, height] = [360 / data.bins, 62, 56];
  const [low, high] = view.task.ranges[i];
  const peak = (side) => short(low + ((side.indexOf(Math.max(...side)) + 0.5) * (high - low)) / data.bins);
  const chart = svg("svg", {
    viewBox: "0 0 360 140", role: "img", class: `c${place}`,
    "aria-label": `Scores of ${LETTERS[place]}: inliers mostly near ${peak(shares[0])}, outliers mostly near ${peak(shares[1])}.`,
  });
  const pattern = `stripes-${place}`;
  chart.append(svg("defs", {}, svg("pattern", { id: pattern, width: 4, height: 4, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    svg("path", { d: "M0 0V4", class: "line" }))));
  shares.forEach((side, which) => side.forEach((share, bin) => {
    const length = (height * share) / most;
    if (!length) return;
    chart.append(svg("rect", {
      x: bin * width + 0.4, width: width - 0.8, y: which ? middle : middle - length, height: length,
      class: which ? "out" : "in", fill: which ? `url(#${pattern})` : null,
    }));
  }));
  chart.append(
    svg("path", { class: "guide", d: `M0 ${middle}H360` }),
    svg("text", { x: 0, y: 136, class: "soft" }, `≤ ${short(low)}`),
    svg("text", { x: 180, y: 136, class: "soft", "text-anchor": "middle" }, "less likely – more likely"),
    svg("text", { x: 360, y: 136, class: "soft", "text-anchor": "end" }, `≥ ${short(high)}`),
  );
  return el("div", {}, el("h4", {}, letter(place), ` ${row.model}`, row.score === "score" ? "" : `, ${wayTitle(row.score)}`), chart);
}

function short(value) {
  const size = Math.abs(value);
  const text = size >= 1e6 || (size < 0.01 && size) ? value.toExponential(1) : value.toLocaleString("en", { maximumSignificantDigits: 4 });
  return text.replace("-", "−");
}

// Pictures are kept of a model's own scores at its highest layer.
function images(view, { place, row }) {
  const { task, group } = view;
  const own = group.rows.find((each) =>
    each.method === row.method && each.point === row.point && each.evidence === row.evidence && Object.keys(each.extremes).length);
  const head = el("h4", {}, letter(place), ` ${row.model}, ${evidenceTitle(row.evidence)}`);
  const shown = [...new Set([task.inliers.set, task.outliers.set])].flatMap((name) => {
    const set = data.sets[group.dataset][name];
    const indices = own?.extremes[name];
    if (!set || !indices?.[0].length) return [];
    const { title } = name === task.outliers.set ? task.outliers : task.inliers;
    return [el("div", {}, ...["Least", "Most"].flatMap((which, end) => [
      el("p", { class: "caption" }, `${which} likely of “${title}”`), shots(view, name, set, indices[end]),
    ]))];
  });
  const note = !shown.length ? "No pictures are kept of it."
    : own === row ? "" : "By its own score at the highest layer, the one whose pictures are kept.";
  return el("article", {}, head, note ? el("p", { class: "caption" }, note) : null, ...shown);
}

const sheets = new Map();
function sheet(set) {
  if (!sheets.has(set)) {
    const bytes = Uint8Array.from(atob(set.png), (character) => character.charCodeAt(0));
    sheets.set(set, URL.createObjectURL(new Blob([bytes], { type: "image/png" })));
  }
  return sheets.get(set);
}

function shots(view, name, set, indices) {
  const lines = Math.ceil(set.labels.length / set.columns);
  const isOf = (side, label) => side.set === name && side.labels.includes(label);
  return el("ul", { class: "shots" }, ...indices.map((at) => {
    const label = set.labels[at];
    const part = isOf(view.task.outliers, label) ? "out" : isOf(view.task.inliers, label) ? "in" : "";
    const [column, line] = [at % set.columns, Math.floor(at / set.columns)];
    const percent = (place, count) => (count > 1 ? (100 * place) / (count - 1) : 0);
    const shot = el("span", { class: `shot ${part}`, role: "img", "aria-label": `image with label ${label}` });
    shot.style.aspectRatio = `${set.shape[1]} / ${set.shape[0]}`;
    shot.style.background = `url(${sheet(set)}) ${percent(column, set.columns)}% ${percent(line, lines)}% / ${100 * set.columns}% ${100 * lines}% padding-box`;
    return el("li", {}, shot, `${label} `, el("b", {}, part));
  }));
}

// --- The paired test --------------------------------------------------------------------------

function showTest(view) {
  const [first, second] = view.pair;
  const { rows } = view.group;
  const box = find("verdict");
  const say = (...children) => {
    const made = el("div", {}, ...children);
    if (made.textContent !== box.textContent) box.replaceChildren(...made.childNodes);
  };
  if (first === second) return say(el("p", {}, "Choose two different rows."));
  const missing = view.pair.filter((i) => !cell(view, i, "auroc"));
  if (missing.length) {
    return say(el("p", {}, missing.map((i) => `${fullName(rows[i])}: no result, ${reason(view, i)}`).join("; ")));
  }
  const images = overImages(view, first, second);
  const seeds = overSeeds(view, first, second);
  const points = (test) => `${number(test.mean, 2, true)} points, 95 % interval ${interval(test.low, test.high, true)}, ${probability(test.p)}`;
  return say(
    el("p", {}, el("b", {}, `${rows[first].model} minus ${rows[second].model}: ${number(images.mean, 2, true)} points of exact AUROC.`),
      ` (${fullName(rows[first])} against ${fullName(rows[second])})`),
    el("ul", {},
      el("li", {}, el("b", {}, "With other test images, but these fits"), " (DeLong, placements averaged over seeds): ",
        images.error > 0 ? `${points(images)}.` : "no test, since the two rank the images alike or there is a single image on a side."),
      el("li", {}, el("b", {}, "With other seeds, but these test images"), ` (paired t over the ${seeds.n} seeds that both finished): `,
        seeds.p === null ? "no test, since it needs two seeds that differ." : `${points(seeds)}.`)),
    el("p", { class: "caption" }, "Neither error contains the other: a difference is safe only where both intervals exclude 0. " +
      "The probabilities are of this one test; who picks the largest of many differences has to correct for that."),
  );
}

// DeLong's test: difference of the mean areas and its standard error over test images.
function overImages(view, first, second) {
  const [i, j] = [Math.min(first, second), Math.max(first, second)];
  const place = i * view.group.rows.length - (i * (i + 1)) / 2 + (j - i - 1);
  const error = array(view.task.errors, Float32Array)[place];
  const mean = average(areas(view, first)) - average(areas(view, second));
  const half = data.normal * error;
  return { mean, error, low: mean - half, high: mean + half, p: normalTails(Math.abs(mean) / error) };
}

function overSeeds(view, first, second) {
  const of = (i) => new Map(view.group.rows[i].seeds.map((seed, place) => [seed, view.task.areas[i][place]]));
  const [one, other] = [of(first), of(second)];
  const differences = [...one].filter(([seed, area]) => area !== null && (other.get(seed) ?? null) !== null)
    .map(([seed, area]) => area - other.get(seed));
  const n = differences.length;
  const mean = average(differences);
  const error = Math.sqrt(differences.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (n - 1) / n);
  if (n < 2 || !(error > 1e-9)) return { n, p: null };
  const half = data.t[n - 2] * error;
  return { n, mean, low: mean - half, high: mean + half, p: studentTails(Math.abs(mean) / error, n - 1) };
}

const areas = (view, i) => view.task.areas[i].filter((area) => area !== null);
const average = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

// Two-sided probability beyond z: of erfc's continued fraction, or near 0 erf's series.
function normalTails(z) {
  const x = z / Math.SQRT2;
  if (x < 2) {
    let [term, sum] = [x, x];
    for (let k = 1; k < 60; k++) {
      term *= (-x * x) / k;
      sum += term / (2 * k + 1);
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let k = 60; k > 0; k--) fraction = k / 2 / (x + fraction);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
}

// Two-sided probability beyond t, by the finite sums for whole degrees of freedom
// (Abramowitz and Stegun, 26.7.3 and 26.7.4).
function studentTails(t, freedom) {
  const angle = Math.atan(t / Math.sqrt(freedom));
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const odd = freedom % 2;
  let [term, sum] = [odd ? cosine : 1, 0];
  for (let k = odd + 1; k < freedom; k += 2) {
    sum += term;
    term *= (cosine * cosine * k) / (k + 1);
  }
  const inside = odd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
  return Math.max(0, 1 - inside);
}

// --- Start ------------------------------------------------------------------------------------

let current;

function show() {
  if (!location.hash.includes("=") && current) return; // a link within the page
  current = parsed(location.hash);
  const focused = document.activeElement?.id;
  showChoices(current);
  showTable(current);
  showCompared(current);
  showTest(current);
  find("link").href = address(current);
  if (focused) find(focused)?.focus({ preventScroll: true });
}

function start() {
  for (const name of ["fits", "task", "measure", "evidence", "layer", "score"]) {
    find(name).addEventListener("change", ({ target }) => {
      // Other fits have other rows, and another measure another best side.
      if (name === "fits") location.replace(`#fits=${target.value}&task=${current.task.name}&measure=${current.measure}`);
      else if (name === "task") change({ task: current.group.tasks.find((task) => task.name === target.value) });
      else change({ [name]: target.value, ...(name === "measure" ? { sort: "" } : {}) });
    });
  }
  ["first", "second"].forEach((name, place) =>
    find(name).addEventListener("change", ({ target }) => {
      const pair = [...current.pair];
      pair[place] = Number(target.value);
      change({ pair, ownPair: true });
    }));
  find("choices").addEventListener("submit", (event) => event.preventDefault());
  find("csv").addEventListener("click", download);
  find("clear").addEventListener("click", () => change({ rows: [] }));
  find("skip").addEventListener("click", (event) => {
    event.preventDefault(); // the address is the view's
    find("results").focus();
  });
  addEventListener("hashchange", show);
  show();
}

if (data.groups.length) start();
else find("about").textContent = "There are no results.";
