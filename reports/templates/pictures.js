// Where the failures are: a table of rules by groups, bars by service and by severity.

// How many of `findings` have each text of a facet, counted like `countBy`.
function countsOf(findings, texts, of) {
  const counts = new Uint32Array(texts.length);
  for (const f of findings) {
    const at = data.connection[f];
    if (typeof at === "number") counts[of[at]]++;
    else for (const each of new Set(at.map((c) => of[c]))) counts[each]++;
  }
  return [...counts].flatMap((count, at) => (count ? [[texts[at], count]] : []));
}

function countBy(length, key) {
  const counts = new Map();
  for (let row = 0; row < length; row++) for (const k of key(row)) counts.set(k, (counts.get(k) ?? 0) + 1);
  return counts;
}

const mostFirst = (counts) => [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));

const OPEN = OPEN_WORDS.join(",");
const MOST_GROUPS = 12;
const MOST_RULES = 15;
const MOST_BARS = 8;

function bars(list, counts, filter, most = MOST_BARS) {
  const top = Math.max(...counts.map(([, count]) => count), 1);
  for (const [label, count] of counts.slice(0, most)) {
    // Zero has no mark.
    const fill = el("span", { class: "bar-fill", hidden: !count });
    fill.style.width = `${(100 * count) / top}%`;
    const name = filter === "severity" ? severityBadge(label) : el("span", { class: "bar-name" }, label);
    list.append(el("li", {}, el(
      "a", { href: fragment({ ...DEFAULTS, [filter]: listed([label]), [JUDGED.name]: OPEN }), class: "bar-link" },
      name, el("span", { class: "bar-track", "aria-hidden": "true" }, fill), el("b", {}, number(count)),
    )));
  }
  if (counts.length > most) {
    const rest = counts.slice(most).reduce((sum, [, count]) => sum + count, 0);
    list.append(el("li", { class: "hint" }, `${plural(counts.length - most, `more ${filter}`)}: ${number(rest)}`));
  }
}

function heatMap(findings) {
  const cells = new Map();
  const groups = new Map();
  const rules = new Map();
  const width = data.groups.length;
  const perCell = new Uint32Array(data.rules.length * width);
  for (const f of findings) {
    const rule = data.rule[f];
    rules.set(rule, (rules.get(rule) ?? 0) + 1);
    const at = data.connection[f];
    if (typeof at === "number") perCell[rule * width + data.groupOf[at]]++;
    else for (const group of groupsOf(f)) perCell[rule * width + group]++;
  }
  perCell.forEach((count, at) => {
    if (!count) return;
    const group = data.groups[at % width];
    cells.set(`${Math.floor(at / width)}\n${group}`, count);
    groups.set(group, (groups.get(group) ?? 0) + count);
  });
  const columns = mostFirst(groups).slice(0, MOST_GROUPS).map(([group]) => group);
  const rows = [...rules].sort((a, b) => data.rules[b[0]].severity - data.rules[a[0]].severity || b[1] - a[1]);
  // A single finding is never dark, however few there are in total.
  const top = Math.max(10, ...cells.values());
  // A name that may be cut is shown in full on hover, with its id.
  const titleOf = (group) => [...new Set([group, data.groupIds[groupNumber.get(group)]])].join("\n");
  const cell = (rule, group) => {
    const count = cells.get(`${rule}\n${group}`) ?? 0;
    if (!count) return el("td", { class: "heat-0" }, el("span", { class: "zero" }, "0"));
    const level = Math.ceil(5 * Math.sqrt(count / top));
    return el("td", { class: `heat-${level}` }, el("a", {
      href: fragment({ ...DEFAULTS, rule: data.rules[rule].id, group: listed([group]), [JUDGED.name]: OPEN }),
    }, number(count)));
  };
  const shown = rows.slice(0, MOST_RULES);
  const left = [
    groups.size > columns.length ? plural(groups.size - columns.length, "more group") : "",
    rows.length > shown.length ? plural(rows.length - shown.length, "more rule") : "",
  ].filter(Boolean);
  return [el(
    "table", { class: "heat" },
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Rule"), ...columns.map((group) =>
      el("th", { scope: "col" }, el("a", { class: "tilt", title: titleOf(group), href: fragment({ ...DEFAULTS, within: group }) }, group))))),
    el("tbody", {}, ...shown.map(([rule]) => el(
      "tr", {}, el("th", { scope: "row" }, el("a", { title: data.rules[rule].title || data.rules[rule].id, href: fragment({ ...DEFAULTS, about: data.rules[rule].id }) }, data.rules[rule].id)), ...columns.map((group) => cell(rule, group)),
    ))),
  ), left.length ? el("p", { class: "hint" }, `Not drawn: ${left.join(", ")}.`) : ""];
}

function drawPictures() {
  const findings = Array.from({ length: findingCount }, (_, f) => f).filter(unsettled);
  if (!findings.length) return;
  document.getElementById("heat").append(...heatMap(findings));
  bars(document.getElementById("by-service"), mostFirst(countsOf(findings, data.services, data.serviceOf)), "service");
  const severities = countBy(findings.length, (at) => [severityOf[findings[at]]]);
  bars(document.getElementById("by-severity"), [4, 3, 2, 1].map((s) => [SEVERITIES[s], severities.get(s) ?? 0]), "severity");
  document.getElementById("pictures").hidden = false;
}

// The trend names the run under the pointer, or reached with the arrow keys.
function startTrend() {
  const picture = document.querySelector(".trend-picture svg[role=img]");
  if (!picture) return;
  const bars = [...picture.querySelectorAll("g[data-said]")];
  const said = document.querySelector(".trend-said");
  said.hidden = false;
  said.textContent = "Point at a bar, or use the arrow keys, to see its run.";
  picture.tabIndex = 0;
  let at = bars.length;
  const show = (next) => {
    at = Math.max(0, Math.min(bars.length - 1, next));
    bars.forEach((bar, n) => bar.classList.toggle("on", n === at));
    said.textContent = bars[at].dataset.said;
  };
  picture.addEventListener("pointerover", ({ target }) => {
    const bar = target.closest("g[data-said]");
    if (bar) show(bars.indexOf(bar));
  });
  picture.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -bars.length, End: bars.length }[event.key];
    if (!step) return;
    show(at + step);
    event.preventDefault();
  });
}
