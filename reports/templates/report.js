// The page: changes of state, the filters, export, print, theme.

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

// The rows that fit, in their order and their groups. What fits is looked for only when a filter
// has changed; why the others do not fit is kept for the counts beside choices.
function* selected() {
  const { show } = state;
  if (show === "connections") yield* tallying.within();
  const wanted = JSON.stringify([show, ...FILTERS.map((name) => state[name])]);
  let { found } = page;
  if (found?.wanted !== wanted) {
    found = { ...(yield* (show === "findings" ? matchFindings : matchConnections)(state)), wanted };
  }
  if (show === "findings") {
    for (const facet of TOGGLED) for (const each of [found, everything]) yield* counting(facet, each);
  }
  const rows = yield* inOrder(found.rows);
  const facet = groupings().find(({ name }) => name === state.by);
  return { found, rows, groups: facet ? yield* grouped(rows, facet, way()) : null };
}

function* inOrder(rows) {
  const column = columnsOf(state.show).find((c) => c.id === state.sort.replace("-", ""));
  if (!column || (column.id === "verdict" && state.show === "connections" && !isRuleView())) {
    // Accepted findings come after the others.
    return state.show === "findings" && !COMPARED ? sorted(rows, (f) => 1 - unsettled(f), false) : rows;
  }
  const count = state.show === "findings" ? findingCount : connectionCount;
  const places = column.rank ? null : yield* rankWork(column, count).within();
  return sorted(rows, places ? (row) => places[row] : column.rank(), state.sort.startsWith("-"));
}

// Filters that are buttons, each with the count that it would select.
const TOGGLED = [JUDGED.name, "severity", "is"].map((name) => facetOf.get(name)).filter(Boolean);
// All findings, in the form that `matchFindings` returns.
const everything = { misses: new Uint8Array(findingCount), filters: [] };

// -- changes of state -----------------------------------------------------------------------

const way = () => (state.show === "findings" ? "ofFinding" : "ofConnection");
const groupings = () => GROUPINGS.filter((facet) => facet[way()]);

// The rows in view: with group heads, and without those of folded groups.
function laidOut(rows, groups) {
  if (!groups) return { rows, heads: [] };
  const most = groups.reduce((top, head) => Math.max(top, head.size), 1);
  let length = groups.length;
  for (const head of groups) {
    head.share = head.size / most;
    head.open = (state.open === "all") !== page.turned.has(head.key);
    if (head.open) length += head.size;
  }
  const all = new Int32Array(length);
  let at = 0;
  groups.forEach((head, n) => {
    all[at++] = -n - 1;
    if (!head.open) return;
    all.set(head.rows, at);
    at += head.size;
  });
  return { rows: all, heads: groups };
}

// The rows of all groups one after the other, each once.
function onceEach(groups) {
  const seen = new Uint8Array(Math.max(findingCount, connectionCount));
  const all = [];
  for (const { rows } of groups) {
    for (const row of rows) {
      if (!seen[row]) all.push(row);
      seen[row] = 1;
    }
  }
  return all;
}

const page = {
  // What Next and Previous step through, and what is saved: all that fits, folded rows too, once each.
  get sequence() {
    this.walked ??= this.groups ? onceEach(this.groups) : this.rows;
    return this.walked;
  },
  // What is being searched for, and what waits for the result.
  turn: new Turn(), waiting: [],
  saving: new Turn(),
  // The groups whose state differs from all others'.
  turned: new Set(),
  // The report's sentence for no findings: the claim is made in one place.
  noFindings: document.getElementById("plain-note").textContent.trim(),
};
const grid = new Table({
  label: `${capital(ROW)}s`,
  onOpen: (row) => go(state.show === "findings" ? { finding: findingId(row) } : { connection: data.ids[row] }),
  onSort: (sort) => change({ sort }),
  onFold: ({ key }) => {
    if (!page.turned.delete(key)) page.turned.add(key);
    drawTable({ keep: true });
  },
});
const CLOSED = Object.fromEntries(SHEETS.map((name) => [name, ""]));

// Runs `then` once the rows are up to date.
const settled = (then) => (page.turn.busy ? page.waiting.push(then) : then());

// A filter changes the current entry of the history, not where Back leads.
function change(changes) {
  if ("by" in changes || "open" in changes || "show" in changes) page.turned.clear();
  state = { ...state, ...changes };
  history.replaceState(history.state, "", fragment(state));
  update();
}

// The other table is a step that Back undoes: without it, Back would leave the page.
function turnTo(show) {
  const changes = { show, sort: "", columns: "" };
  if (leaving) leaving = () => turnTo(show);
  else {
    if (show !== state.show) {
      remember();
      history.pushState({ depth: 0 }, "", fragment({ ...state, ...changes }));
    }
    change(changes);
  }
}

// How many history steps the open sheet is away from the page beneath it.
const depth = () => history.state?.depth ?? 0;
// What Back restores: where the table was, and which of the links followed led away.
const followedLinks = [];
const remember = (link) => history.replaceState({
  ...history.state,
  place: { active: grid.active, top: grid.root.scrollTop, link: link ? followedLinks.push(link) - 1 : -1 },
}, "");

function restore(place) {
  grid.restore(place);
  followedLinks[place.link]?.focus({ preventScroll: true });
}

// Going back takes the browser a moment; anything opened meanwhile waits for it.
let leaving = null;
addEventListener("popstate", () => {
  const then = leaving;
  leaving = null;
  if (then) setTimeout(then);
});

// Opening something is a step that Back undoes.
function go(target) {
  if (leaving) {
    leaving = () => go(target);
    return;
  }
  remember();
  const steps = depth() + 1;
  state = { ...state, ...CLOSED, ...target };
  history.pushState({ depth: steps }, "", fragment(state));
  settled(open);
}

function open() {
  // Sheets of rows in the table can be stepped through; other sheets stand alone.
  const [kind, row, nameOf] = state.show === "findings"
    ? ["finding", findFinding, findingId] : ["connection", (id) => data.ids.indexOf(id), (c) => data.ids[c]];
  const at = state[kind] ? page.sequence.indexOf(row(state[kind])) : -1;
  openSheet(state, {
    onClose: () => sheet.close(),
    at, of: at < 0 ? 0 : page.sequence.length,
    onStep: (by) => {
      const next = page.sequence[at + by];
      if (next === undefined) return;
      grid.reveal(Math.max(0, grid.rows.indexOf(next)));
      state = { ...state, [kind]: nameOf(next) };
      history.replaceState(history.state, "", fragment(state));
      open();
    },
  });
}

// Closing leaves no step behind: it returns to where the sheet was opened.
sheet.addEventListener("close", () => {
  if (!opened(state)) return;
  state = { ...state, ...CLOSED };
  const steps = depth();
  if (steps) {
    leaving = () => {};
    history.go(-steps);
  } else history.replaceState(history.state, "", fragment(state));
});
sheet.addEventListener("click", (event) => event.target === sheet && sheet.close());

// Following a link moves the view and the focus; Back restores them.
let followed = null;

addEventListener("hashchange", () => {
  const next = readState();
  const opens = opened(next);
  const link = followed;
  followed = null;
  if (link && !history.state) history.replaceState({ depth: opens ? link.depth + 1 : 0 }, "");
  // A link to one thing leaves the filters as they are; what Back returns to has its own.
  const bare = opens && (link || !history.state) && !FILTERS.some((name) => next[name]);
  const same = fragment({ ...next, ...CLOSED }) === fragment({ ...state, ...CLOSED });
  state = bare ? { ...state, ...CLOSED, ...Object.fromEntries(SHEETS.map((name) => [name, next[name]])) } : next;
  if (bare) history.replaceState(history.state, "", fragment(state));
  if (!same && !bare) update();
  settled(() => {
    open();
    if (opens) return;
    if (!link && history.state?.place) restore(history.state.place);
    else if (!same) land();
  });
});

function land() {
  page.title.scrollIntoView();
  page.title.focus({ preventScroll: true });
}

// -- the filters ------------------------------------------------------------------------------

function toggles(name, labels, make) {
  const buttons = labels.map((label) => {
    const button = el("button", { type: "button", class: "chip", "data-label": label }, make(label), el("span", { class: "n" }));
    button.addEventListener("click", () => {
      const names = chosen(state[name]);
      if (!names.delete(label)) names.add(label);
      change({ [name]: labels.filter((each) => names.has(each)).join(",") });
    });
    return button;
  });
  return el("div", { class: "chips", role: "group", "aria-label": `Filter by ${name}`, "data-name": name }, ...buttons);
}

const MOST_CHOICES = 200;
const SEARCHED_FROM = 10;

// A filter with many choices: folded, several at once, with counts of what each would select.
class Choices {
  constructor(facet) {
    this.facet = facet;
    this.summary = el("summary", {}, facet.label);
    this.search = el("input", { type: "search", placeholder: `Find in ${number(facet.texts.length)}`, "aria-label": `Find in ${facet.label}`, autocomplete: "off", spellcheck: "false" });
    this.search.hidden = facet.texts.length <= SEARCHED_FROM;
    this.list = el("div", { class: "choices", role: "group", "aria-label": `Filter by ${facet.label}` });
    this.root = el("details", { class: "columns facet", "data-name": facet.name }, this.summary, el("div", { class: "menu" }, this.search, this.list));
    this.search.addEventListener("input", () => this.draw());
    this.root.addEventListener("toggle", () => this.draw());
  }

  draw() {
    const { facet, list, root, summary } = this;
    const names = chosen(state[facet.name]);
    const one = names.size === 1 ? [...names][0] : number(names.size);
    summary.replaceChildren(facet.label, ...(names.size ? [": ", el("b", {}, one)] : []));
    if (!root.open) return;
    const counts = state.show === "findings" ? liveCounts(facet, page.found) : this.connectionCounts();
    const needle = this.search.value.toLowerCase();
    const order = facet.texts.map((_, at) => at)
      .filter((at) => names.has(facet.texts[at]) || (!counts || counts[at] || !needle) && (facet.found ?? facet.texts)[at].toLowerCase().includes(needle))
      .sort((a, b) => names.has(facet.texts[b]) - names.has(facet.texts[a]) || (counts ? counts[b] - counts[a] : 0) || a - b);
    const focused = list.contains(document.activeElement) ? document.activeElement.value : undefined;
    list.replaceChildren(...order.slice(0, MOST_CHOICES).map((at) => {
      const text = facet.texts[at];
      const box = el("input", { type: "checkbox", value: text, checked: names.has(text) });
      box.addEventListener("change", () => {
        if (box.checked) names.add(text);
        else names.delete(text);
        change({ [facet.name]: listed([...names]) });
      });
      return el("label", {}, box, el("span", {}, text), el("span", { class: "n" }, counts ? number(counts[at]) : ""));
    }), order.length > MOST_CHOICES ? el("p", { class: "hint" }, `and ${number(order.length - MOST_CHOICES)} more: search`) : "");
    if (focused !== undefined) [...list.querySelectorAll("input")].find((box) => box.value === focused)?.focus();
  }

  // A rule chooses which verdicts are shown, and no connections.
  connectionCounts() {
    if (!this.facet.ofConnection) return null;
    const counts = new Uint32Array(this.facet.texts.length);
    const others = new Work(matchConnections({ ...state, [this.facet.name]: "" })).run().rows;
    for (const c of others) for (const at of asList(this.facet.ofConnection(c))) counts[at]++;
    return counts;
  }
}

function buildExplorer() {
  page.search = el("input", { type: "search", placeholder: "Search, or severity:critical group:finance age:>30d", "aria-label": "Search", "aria-describedby": "search-problem", autocomplete: "off", spellcheck: "false" });
  page.search.addEventListener("input", () => change({ q: page.search.value }));
  page.clear = el("button", { type: "button", class: "quiet" }, "Clear filters");
  page.clear.addEventListener("click", () => change(Object.fromEntries(FILTERS.map((name) => [name, ""]))));
  page.status = el("p", { class: "status", role: "status" });
  const csv = el("button", { type: "button", class: "quiet", id: "export" }, "Export CSV");
  csv.addEventListener("click", exportCsv);
  page.columns = el("details", { class: "columns" }, el("summary", {}, "Columns"), el("div", { class: "menu" }));
  page.tabs = el("div", { class: "segments", role: "group", "aria-label": "Show" }, ...[
    ["findings", `${capital(ROW)}s`, findingCount], ["connections", "Connections", connectionCount],
  ].map(([show, text, count]) => {
    const button = el("button", { type: "button", "data-show": show }, text, " ", el("span", { class: "n" }, number(count)));
    button.addEventListener("click", () => turnTo(show));
    return button;
  }));
  page.tabs.hidden = COMPARED;
  page.verdicts = toggles(JUDGED.name, FROM_WORST, verdictBadge);
  page.severities = toggles("severity", SEVERITIES.slice(1).reverse(), severityBadge);
  page.since = facetOf.has("is") ? toggles("is", ["new"], (label) => el("span", {}, label)) : "";
  page.choices = FACETS.filter(({ name }) => ![JUDGED.name, "severity", "is"].includes(name)).map((facet) => new Choices(facet));
  page.problem = el("p", { class: "problem", id: "search-problem", role: "alert" });
  page.by = el("select", { "aria-label": "Group by" });
  page.by.addEventListener("change", () => change({ by: page.by.value, open: "" }));
  page.fold = el("button", { type: "button", class: "quiet" });
  page.fold.addEventListener("click", () => change({ open: state.open === "all" ? "" : "all" }));
  page.empty = el("p", { class: "empty", hidden: true });
  page.explorer.append(
    el("div", { class: "toolbar" }, page.tabs, page.search, page.by, page.fold),
    page.problem,
    el("div", { class: "toolbar" }, page.verdicts, page.severities, page.since),
    el("div", { class: "toolbar" }, ...page.choices.map((each) => each.root), page.clear, el("span", { class: "spring" }), page.columns, csv),
    page.status, grid.root, page.empty,
  );
}

// How many of the connections that all other filters leave came to each verdict under the rule.
function verdictCounts() {
  const counts = new Uint32Array(VERDICTS.length);
  const verdicts = verdictsOfRule(ruleNumber.get(state.rule));
  for (const c of new Work(matchConnections({ ...state, verdict: "" })).run().rows) counts[verdicts[c]]++;
  return counts;
}

function updateFilters() {
  if (page.search.value !== state.q) page.search.value = state.q;
  const findings = state.show === "findings";
  for (const group of [page.verdicts, page.severities, page.since].filter(Boolean)) {
    const names = chosen(state[group.dataset.name]);
    const facet = facetOf.get(group.dataset.name);
    const counts = findings ? facet && liveCounts(facet, page.found) : isRuleView() && verdictCounts();
    const there = findings && facet ? liveCounts(facet, everything) : null;
    for (const button of group.children) {
      const label = button.dataset.label;
      const at = facet ? facet.texts.indexOf(label) : -1;
      const pressed = names.has(label);
      button.setAttribute("aria-pressed", String(pressed));
      const count = button.lastElementChild;
      count.hidden = !findings && !counts;
      count.textContent = number(counts ? counts[at] : 0);
      button.hidden = findings && !there?.[at] && !pressed;
    }
  }
  page.severities.hidden = !findings;
  if (page.since) page.since.hidden = !findings;
  for (const each of page.choices) {
    each.root.hidden = !findings && !each.facet.ofConnection && each.facet.name !== "rule";
    each.draw();
  }
  page.by.replaceChildren(el("option", { value: "" }, "Not grouped"), ...groupings().map(({ name, label }) =>
    el("option", { value: name }, `By ${label.toLowerCase()}`)));
  page.by.value = groupings().some(({ name }) => name === state.by) ? state.by : "";
  page.fold.hidden = !page.by.value;
  page.fold.textContent = state.open === "all" ? "Fold all" : "Expand all";
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

function drawTable({ keep = false } = {}) {
  const { rows, heads } = laidOut(page.rows, page.groups);
  page.walked = null;
  grid.show(visibleColumns(), rows, state.sort, {
    heads, pattern: page.pattern, keep, own: state.columns !== "", rich: state.show === "findings",
  });
}

// Searches for what the state selects, and draws the result.
function update() {
  grid.root.setAttribute("aria-busy", "true");
  page.turn.take(selected(), (found) => {
    grid.root.removeAttribute("aria-busy");
    Object.assign(page, found);
    drawAll();
    for (const then of page.waiting.splice(0)) then();
  });
}

// What a link asks for that this report does not have, so that more is shown than was meant.
function unknown() {
  const names = [...new URLSearchParams(location.hash.slice(1))].filter(([name, value]) => value && !Object.hasOwn(DEFAULTS, name));
  return [
    ...names.map(([name]) => `This report has no filter “${name}”`),
    ...(state.by && !GROUPINGS.some(({ name }) => name === state.by) ? [`This report has no groups by “${state.by}”`] : []),
  ];
}

function drawAll() {
  page.pattern = marksOf(state.q);
  updateFilters();
  const { rows } = page;
  const columns = visibleColumns();
  const problems = page.found.terms.filter((term) => term.void || (state.show !== "findings" && !term.connection));
  const gone = FACETS.flatMap(({ name, label, texts }) => [...chosen(state[name])]
    .filter((text) => !texts.includes(text)).map((text) => `This report has no ${label.toLowerCase()} “${text}”`));
  // Filters that choose findings choose no connections; verdict and rule say which outcomes are shown.
  const idle = state.show === "findings" ? [] : FACETS.filter(({ name, ofConnection }) =>
    state[name] && !ofConnection && name !== "verdict" && name !== "rule").map(({ name }) => `${name}: filters findings, not connections`);
  const hints = rows.length ? [] : page.found.terms.map((term) => term.hint).filter(Boolean);
  page.problem.textContent = [...unknown(), ...gone, ...new Set([...idle, ...problems.map((term) => term.problem), ...hints])].join("; ");
  const [noun, all] = state.show === "findings" ? [ROW, findingCount] : ["connection", connectionCount];
  const rule = isRuleView() ? `, under ${state.rule}` : "";
  page.status.textContent = rows.length === all
    ? `${plural(all, noun)}${rule}` : `${number(rows.length)} of ${plural(all, noun)}${rule}`;
  grid.root.setAttribute("aria-label", state.show === "findings" ? `${capital(ROW)}s` : "Connections");
  grid.root.hidden = !rows.length;
  page.empty.hidden = rows.length > 0;
  page.empty.textContent = all
    ? `No ${noun} matches these filters.`
    : state.show === "findings" ? page.noFindings : "No connections were judged.";
  drawTable();
  if (page.groups?.length) page.status.textContent += `, in ${plural(page.groups.length, "group")}`;
  updateColumnMenu(columns);
}

// -- export, print, theme ---------------------------------------------------------------------

// A spreadsheet evaluates what starts with these; an apostrophe makes it text. Numbers stay numbers.
const csvCell = (text) => {
  const safe = /^[=+\-@\t\r\0]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

// What a saved table has besides what the page shows of a row, so that it is complete.
const ABOUT_ALL = [
  ["Judged as of", () => JUDGED_AT.toISOString()],
  ["Selection", () => decodeURIComponent(fragment({ ...state, ...CLOSED }).slice(1)) || "all"],
];
const SAVED = {
  findings: [
    ...FINDING_COLUMNS.filter(({ id }) => id !== "since").map((column) => [column.label, column.text]),
    ["Title", (f) => ruleOf(f).title],
    ...(data.since ? [["Open since", openSince]] : []),
    ...(data.fresh ? [["New", (f) => (freshOf[f] ? "new" : "")]] : []),
    ["Finding", findingId],
  ],
  connections: [
    ...CONNECTION_COLUMNS.filter(({ id }) => id !== "verdict").map((column) => [column.label, column.text]),
  ],
};

// Every column, shown or not, of every selected row.
function exportCsv() {
  const columns = [
    ...(isRuleView() ? [["Verdict", ruleVerdict]] : []), ...SAVED[state.show], ...ABOUT_ALL,
  ];
  const rows = page.sequence;
  const line = (texts) => `${texts.map(csvCell).join(",")}\r\n`;
  page.saving.take((function* lines() {
    const pieces = ["\ufeff", line(columns.map(([label]) => label))];
    let piece = [];
    for (const row of rows) {
      piece.push(line(columns.map(([, text]) => text(row))));
      if (piece.length < AT_ONCE / 16) continue;
      pieces.push(piece.join(""));
      piece = [];
      if (rows.length > AT_ONCE) yield;
    }
    return [...pieces, ...piece];
  })(), (pieces) => save(pieces, rows.length));
}

function save(pieces, count) {
  const url = URL.createObjectURL(new Blob(pieces, { type: "text/csv;charset=utf-8" }));
  const name = `fivetran-audit-${COMPARED ? "changes" : state.show}-${JUDGED_AT.toISOString().slice(0, 10)}.csv`;
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
  // A frame that forbids downloads says nothing, so the page does.
  const framed = self !== top || (self.origin === "null" && location.protocol !== "file:");
  page.status.textContent = `${plural(count, "row")} saved as ${name}${framed
    ? ". If no file appears, this frame blocks downloads: open the report in its own window." : ""}`;
}

const MOST_PRINTED = 150;

// Paper shows folded parts, and the first of the selected findings.
function preparePrint() {
  for (const folded of document.querySelectorAll("details.more")) folded.open = true;
  // In a comparison, the selected kinds of change; without a selection, those that call for action.
  const kinds = chosen(COMPARED && state.change || OPEN_WORDS.join());
  for (const folded of document.querySelectorAll("details.kind")) folded.open = kinds.has(folded.dataset.kind);
  const rows = document.getElementById("plain-rows");
  if (!rows) return;
  const shown = state.show === "findings" ? page.sequence : new Work(matchFindings(DEFAULTS)).run().rows;
  const listed = [...shown.slice(0, MOST_PRINTED)];
  rows.replaceChildren(...listed.map((f) => el(
    "tr", {}, el("td", {}, VERDICTS[verdictOf[f]]), el("td", {}, SEVERITIES[severityOf[f]]),
    el("td", {}, ruleOf(f).id, el("br"), el("small", {}, ruleOf(f).position)),
    el("td", {}, joined(f, (c) => data.schemas[c]), el("br"), el("small", {}, `${joined(f, serviceName)} · ${joined(f, groupName)} · ${joined(f, (c) => data.ids[c])}`)),
    // Paper is short: what a message says is not repeated.
    el("td", {}, message(f), ...evidenceOf(f).filter((e) => !message(f).includes(data.actual[e])).map((e) => el("small", {}, el("code", {}, data.fields[data.fieldOf[e]]),
      ` is ${data.actual[e]}; expected ${data.expected[data.expectedOf[e]]}`)), note(f) ? el("small", {}, note(f)) : "", openDay(f) ? el("small", {}, `open since ${openDay(f)}`) : ""),
  )));
  document.getElementById("plain-note").textContent = shown.length > listed.length
    ? `The first ${number(listed.length)} of ${number(shown.length)} findings selected; the report itself holds all ${number(findingCount)}.`
    : findingCount ? `${number(listed.length)} of ${plural(findingCount, "finding")}.` : page.noFindings;
}

// The page by control alone, as an annex for the records.
function startAnnex() {
  const button = document.getElementById("annex");
  if (!button) return;
  const { classList } = document.documentElement;
  button.hidden = false;
  button.addEventListener("click", () => {
    classList.add("annex");
    print();
  });
  addEventListener("afterprint", () => classList.remove("annex"));
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

const KEYS = [
  ["/", "Search"], ["j  k", `Next and previous ${ROW}`], ["↑ ↓  Home End  PgUp PgDn", "Move in the table"],
  ["Enter", "Open the row; fold a group"], ["← →", "Fold and unfold a group; in a sheet, previous and next"], ["Esc", "Close"], ["?", "These keys"],
];

function showKeys() {
  const box = document.getElementById("keys");
  if (!box.childElementCount) {
    const close = el("button", { type: "button", class: "quiet" }, "Close");
    close.addEventListener("click", () => box.close());
    box.append(el("h2", { id: "keys-title" }, "Keys"), facts(KEYS.map(([key, what]) => [key, what])), close);
  }
  if (!box.open) box.showModal();
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input:not([type=checkbox]), select, textarea") || document.getElementById("keys").open) return;
  const step = { j: 1, k: -1, ...(sheet.open ? { ArrowRight: 1, ArrowLeft: -1 } : {}) }[event.key];
  if (event.key === "?") showKeys();
  else if (sheet.open && step) sheet.querySelector(`[data-step="${step}"]:not(:disabled)`)?.click();
  else if (sheet.open) return;
  else if (event.key === "/") page.search.focus();
  else if (step && grid.rows.length) {
    const there = document.activeElement === grid.root;
    grid.root.focus();
    grid.reveal(there ? grid.active + step : grid.active);
  } else return;
  event.preventDefault();
}

function start() {
  page.explorer = document.getElementById("explorer");
  page.title = document.getElementById("findings-title");
  buildExplorer();
  page.explorer.hidden = false;
  document.documentElement.classList.add("scripted");
  drawPictures();
  startTrend();
  addToCards();
  startRules();
  update();
  settled(open);
  if (fragment({ ...state, ...CLOSED }) !== fragment(DEFAULTS)) page.title.scrollIntoView({ behavior: "instant" });
  startTheme();
  startAnnex();
  // What the first search and sort need is prepared while nobody waits for it.
  prepare([
    ...FINDING_COLUMNS.filter(({ id, rank }) => !rank && FIRST_COLUMNS.findings.includes(id)).map((column) => rankWork(column, findingCount)),
    connectionTexts, evidenceTexts, messageTexts, noteTexts, lowTexts.connection, tallying,
    ...CONNECTION_COLUMNS.filter(({ rank }) => !rank).map((column) => rankWork(column, connectionCount)),
  ]);
  addEventListener("beforeprint", preparePrint);
  page.explorer.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest("details[open]");
    if (!menu) return;
    menu.open = false;
    menu.firstElementChild.focus();
  });
  addEventListener("keydown", pressed);
  document.addEventListener("click", (event) => {
    const anchor = event.target.closest("a[href^='#']");
    const leads = anchor && anchor.hash !== "#findings-title" && anchor.hash !== location.hash;
    if (leads && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      remember(anchor);
      followed = { depth: depth() };
    } else if (anchor && !leads && !sheet.open) {
      // The way to the findings leaves the filters as they are.
      event.preventDefault();
      land();
    }
    for (const menu of page.explorer.querySelectorAll("details.columns[open]")) {
      if (!menu.contains(event.target) && event.target.isConnected) menu.open = false;
    }
  });
}

start();
