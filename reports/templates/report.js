// The page: the state's comings and goings, the filters, export, print, theme.

let state = readState();
const columnsOf = (show) => (show === "findings" ? FINDING_COLUMNS : CONNECTION_COLUMNS);
const isRuleView = () => {
  const rule = data.rules[ruleNumber.get(state.rule)];
  return state.show === "connections" && rule !== undefined && !rule.per.length;
};

function ruleVerdict(c) {
  return VERDICTS[verdictsOfRule(ruleNumber.get(state.rule))[c]] ?? "";
}

function visibleColumns() {
  const names = state.columns ? chosen(state.columns) : new Set(FIRST_COLUMNS[state.show]);
  if (state.show === "connections") names.delete("verdict");
  if (isRuleView()) names.add("verdict");
  const columns = columnsOf(state.show).filter((column) => names.has(column.id));
  return columns.length ? columns : columnsOf(state.show).filter((c) => FIRST_COLUMNS[state.show].includes(c.id));
}

function selectRows() {
  const rows = state.show === "findings" ? matchFindings(state) : matchConnections(state);
  const column = columnsOf(state.show).find((c) => c.id === state.sort.replace("-", ""));
  if (!column || (column.id === "verdict" && state.show === "connections" && !isRuleView())) return rows;
  const count = state.show === "findings" ? findingCount : connectionCount;
  return sorted(rows, column.rank?.() ?? textRank(column, count), state.sort.startsWith("-"));
}

// -- the state's comings and goings ---------------------------------------------------------

const page = {
  // What the report says where there are no findings: the claim is made in one place.
  noFindings: document.getElementById("plain-note").textContent.trim(),
};
const grid = new Table({
  label: "Findings",
  onOpen: (row) => go(state.show === "findings" ? { finding: findingId(row) } : { connection: data.ids[row] }),
  onSort: (sort) => change({ sort }),
});
const CLOSED = { finding: "", connection: "", about: "" };

// A filter changes where the reader is, not where Back leads.
function change(changes) {
  state = { ...state, ...changes };
  history.replaceState(null, "", fragment(state));
  update();
}

// Opening something is a step that Back takes back.
function go(target) {
  state = { ...state, ...CLOSED, ...target };
  history.pushState(null, "", fragment(state));
  open();
}

function open() {
  openSheet(state, {
    onClose: () => sheet.close(),
    onStep: (finding, by) => {
      const at = grid.rows.indexOf(finding) + by;
      if (state.show !== "findings" || at < 0 || at >= grid.rows.length) return;
      grid.reveal(at);
      state = { ...state, finding: findingId(grid.rows[at]) };
      history.replaceState(null, "", fragment(state));
      open();
    },
  });
}

sheet.addEventListener("close", () => {
  if (!state.finding && !state.connection && !state.about) return;
  state = { ...state, ...CLOSED };
  history.replaceState(null, "", fragment(state));
});
sheet.addEventListener("click", (event) => event.target === sheet && sheet.close());

addEventListener("hashchange", () => {
  const next = readState();
  const opens = next.finding || next.connection || next.about;
  // A link to one thing leaves the filters as they are.
  const bare = opens && !FILTERS.some((name) => next[name]);
  const moved = !opens && fragment({ ...next, ...CLOSED }) !== fragment({ ...state, ...CLOSED });
  state = bare ? { ...state, ...CLOSED, finding: next.finding, connection: next.connection, about: next.about } : next;
  if (bare) history.replaceState(null, "", fragment(state));
  update();
  open();
  if (moved) page.title.scrollIntoView();
});

// -- the filters ------------------------------------------------------------------------------

function toggles(name, labels, make, counts) {
  const buttons = labels.map((label) => {
    const button = el("button", { type: "button", class: "chip", "data-label": label }, make(label), el("span", { class: "n" }, number(counts(label))));
    button.addEventListener("click", () => {
      const names = chosen(state[name]);
      if (!names.delete(label)) names.add(label);
      change({ [name]: labels.filter((each) => names.has(each)).join(",") });
    });
    return button;
  });
  return el("div", { class: "chips", role: "group", "aria-label": `Filter by ${name}`, "data-name": name }, ...buttons);
}

function selector(name, all, options) {
  const select = el("select", { "aria-label": `Filter by ${name}`, "data-name": name }, el("option", { value: "" }, all));
  for (const [value, text] of options) select.append(el("option", { value }, text));
  select.addEventListener("change", () => change({ [name]: select.value }));
  return select;
}

function buildExplorer() {
  page.verdictCounts = countBy(findingCount, (f) => [verdictOf[f]]);
  const severities = countBy(findingCount, (f) => [severityOf[f]]);
  const services = mostFirst(countBy(connectionCount, (c) => [serviceName(c)]));
  const groups = mostFirst(countBy(connectionCount, (c) => [groupName(c)]));
  page.search = el("input", { type: "search", placeholder: "Search words in anything", "aria-label": "Search", autocomplete: "off", spellcheck: "false" });
  page.search.addEventListener("input", () => change({ q: page.search.value }));
  page.clear = el("button", { type: "button", class: "quiet" }, "Clear filters");
  page.clear.addEventListener("click", () => change(Object.fromEntries(FILTERS.map((name) => [name, ""]))));
  page.status = el("p", { class: "status", role: "status" });
  const csv = el("button", { type: "button", class: "quiet", id: "export" }, "Export CSV");
  csv.addEventListener("click", exportCsv);
  page.columns = el("details", { class: "columns" }, el("summary", {}, "Columns"), el("div", { class: "menu" }));
  page.tabs = el("div", { class: "segments", role: "group", "aria-label": "Show" }, ...[
    ["findings", "Findings", findingCount], ["connections", "Connections", connectionCount],
  ].map(([show, text, count]) => {
    const button = el("button", { type: "button", "data-show": show }, text, " ", el("span", { class: "n" }, number(count)));
    button.addEventListener("click", () => change({ show, sort: "", columns: "" }));
    return button;
  }));
  page.verdicts = toggles("verdict", FROM_WORST, verdictBadge, () => 0);
  page.severities = toggles("severity", SEVERITIES.slice(1).reverse(), severityBadge, (label) => severities.get(SEVERITIES.indexOf(label)) ?? 0);
  page.selects = [
    selector("rule", "All rules", data.rules.map((r) => [r.id, r.id])),
    selector("service", "All services", services.map(([name, count]) => [name, `${name} (${number(count)})`])),
    selector("group", "All groups", groups.map(([name, count]) => [name, `${name} (${number(count)})`])),
  ];
  page.empty = el("p", { class: "empty", hidden: true });
  page.explorer.append(
    el("div", { class: "toolbar" }, page.tabs, page.search, ...page.selects),
    el("div", { class: "toolbar" }, page.verdicts, page.severities, page.clear),
    el("div", { class: "toolbar slim" }, page.status, el("span", { class: "spring" }), page.columns, csv),
    grid.root, page.empty,
  );
}

function updateFilters() {
  if (page.search.value !== state.q) page.search.value = state.q;
  for (const select of page.selects) select.value = state[select.dataset.name];
  for (const group of [page.verdicts, page.severities]) {
    const names = chosen(state[group.dataset.name]);
    for (const button of group.children) button.setAttribute("aria-pressed", String(names.has(button.dataset.label)));
  }
  const findings = state.show === "findings";
  for (const button of page.verdicts.children) {
    const label = button.dataset.label;
    const v = VERDICTS.indexOf(label);
    const known = findings ? page.verdictCounts.get(v) ?? 0 : data.rules[ruleNumber.get(state.rule)]?.counts[v];
    const count = button.lastElementChild;
    count.hidden = !findings && !isRuleView();
    count.textContent = number(known ?? 0);
    button.hidden = findings && !known && button.getAttribute("aria-pressed") === "false";
  }
  page.severities.hidden = !findings;
  for (const button of page.severities.children) {
    button.hidden = button.lastElementChild.textContent === "0" && button.getAttribute("aria-pressed") === "false";
  }
  for (const button of page.tabs.children) button.setAttribute("aria-pressed", String(button.dataset.show === state.show));
  page.clear.hidden = !FILTERS.some((name) => state[name]);
}

function updateColumnMenu(columns) {
  const menu = page.columns.lastElementChild;
  const choices = columnsOf(state.show).filter((c) => state.show === "findings" || c.id !== "verdict");
  const focused = document.activeElement?.dataset?.choice;
  menu.replaceChildren(...choices.map((column) => {
    const box = el("input", { type: "checkbox", "data-choice": column.id, checked: columns.includes(column) });
    box.addEventListener("change", () => {
      const names = choices.filter((c) => (c === column ? box.checked : columns.includes(c))).map((c) => c.id);
      const usual = names.join() === FIRST_COLUMNS[state.show].join();
      change({ columns: usual ? "" : names.join(",") });
    });
    return el("label", {}, box, column.label);
  }));
  if (focused) menu.querySelector(`[data-choice="${focused}"]`)?.focus();
}

function update() {
  updateFilters();
  const rows = selectRows();
  const columns = visibleColumns();
  const [noun, all] = state.show === "findings" ? ["finding", findingCount] : ["connection", connectionCount];
  const rule = isRuleView() ? `, under ${state.rule}` : "";
  page.status.textContent = rows.length === all
    ? `${plural(all, noun)}${rule}` : `${number(rows.length)} of ${plural(all, noun)}${rule}`;
  grid.root.setAttribute("aria-label", state.show === "findings" ? "Findings" : "Connections");
  grid.root.hidden = !rows.length;
  page.empty.hidden = rows.length > 0;
  page.empty.textContent = all
    ? `No ${noun} matches these filters.`
    : state.show === "findings" ? page.noFindings : "No connections were judged.";
  grid.show(columns, rows, state.sort);
  updateColumnMenu(columns);
}

// -- export, print, theme ---------------------------------------------------------------------

// A spreadsheet runs what starts with these; an apostrophe makes it text. Numbers stay numbers.
const csvCell = (text) => {
  const safe = /^[=+\-@\t\r\0]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

function exportCsv() {
  const columns = visibleColumns();
  const lines = [columns.map((column) => csvCell(column.label)).join(",")];
  for (const row of grid.rows) lines.push(columns.map((column) => csvCell(column.text(row))).join(","));
  const url = URL.createObjectURL(new Blob(["\ufeff", lines.join("\r\n"), "\r\n"], { type: "text/csv;charset=utf-8" }));
  el("a", { href: url, download: `fivetran-audit-${state.show}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

const MOST_PRINTED = 200;

// Paper shows what is folded away, and the first of the findings that are selected.
function preparePrint() {
  for (const folded of document.querySelectorAll("details.more")) folded.open = true;
  const rows = document.getElementById("plain-rows");
  if (!rows) return;
  const shown = state.show === "findings" ? grid.rows : matchFindings(DEFAULTS);
  const listed = [...shown.slice(0, MOST_PRINTED)];
  rows.replaceChildren(...listed.map((f) => el(
    "tr", {}, el("td", {}, VERDICTS[verdictOf[f]], openDay(f) ? el("small", {}, `open since ${openDay(f)}`) : ""), el("td", {}, SEVERITIES[severityOf[f]]),
    el("td", {}, ruleOf(f).id, el("br"), el("small", {}, ruleOf(f).position)),
    el("td", {}, joined(f, (c) => data.schemas[c]), el("br"), el("small", {}, `${joined(f, serviceName)} · ${joined(f, groupName)} · ${joined(f, (c) => data.ids[c])}`)),
    el("td", {}, message(f), note(f) ? el("br") : "", note(f) ? el("small", {}, note(f)) : ""),
  )));
  document.getElementById("plain-note").textContent = shown.length > listed.length
    ? `The first ${number(listed.length)} of ${number(shown.length)} findings selected; the report itself holds all ${number(findingCount)}.`
    : findingCount ? `${number(listed.length)} of ${plural(findingCount, "finding")}.` : page.noFindings;
}

const THEMES = { system: "dark", dark: "light", light: "system" };

function startTheme() {
  const button = document.getElementById("theme");
  let theme = "system";
  button.hidden = false;
  button.addEventListener("click", () => {
    theme = THEMES[theme];
    document.documentElement.dataset.theme = theme;
    button.textContent = `Theme: ${theme}`;
  });
}

function start() {
  page.explorer = document.getElementById("explorer");
  page.title = document.getElementById("findings-title");
  buildExplorer();
  page.explorer.hidden = false;
  document.documentElement.classList.add("scripted");
  drawPictures();
  update();
  open();
  if (FILTERS.some((name) => state[name])) page.title.scrollIntoView({ behavior: "instant" });
  startTheme();
  // What the first search and sort need is made ready while nobody waits for it.
  (globalThis.requestIdleCallback ?? setTimeout)(() => { wordHits(""); textRank(FINDING_COLUMNS.find((c) => c.id === "connection"), findingCount); });
  addEventListener("beforeprint", preparePrint);
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || sheet.open) return;
    if (event.target.closest("input, select, textarea")) return;
    event.preventDefault();
    page.search.focus();
  });
  document.addEventListener("click", (event) => {
    const anchor = event.target.closest("a[href^='#']");
    if (anchor && anchor.hash === location.hash && !sheet.open) page.title.scrollIntoView();
    if (!event.target.closest(".columns")) page.columns.open = false;
  });
}

start();
