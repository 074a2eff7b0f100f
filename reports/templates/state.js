// What is looked at: the URL's fragment, the rows it selects, their order.

const FILTERS = ["q", ...FACETS.map((facet) => facet.name)];
const DEFAULTS = {
  show: "findings", ...Object.fromEntries(FILTERS.map((name) => [name, ""])),
  by: "", open: "", sort: "", columns: "", finding: "", connection: "", about: "", within: "",
};
// What a sheet is of: a finding, a connection, a rule, a group.
const SHEETS = ["finding", "connection", "about", "within"];
const opened = (state) => SHEETS.some((name) => state[name]);

function readState() {
  const state = { ...DEFAULTS };
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
    if (Object.hasOwn(DEFAULTS, name)) state[name] = value;
  }
  if (state.show !== "connections" || COMPARED) state.show = "findings";
  return state;
}

function fragment(state) {
  const changed = Object.entries(state).filter(([name, value]) => value !== DEFAULTS[name]);
  return `#${new URLSearchParams(changed)}`.replaceAll("%2C", ",").replaceAll("%2F", "/");
}

// Several values as one text: a comma within a value is escaped.
const listed = (values) => values.map((value) => value.replace(/[\\,]/g, "\\$&")).join(",");
const chosen = (list) =>
  new Set((list.match(/(?:\\.|[^,\\])+/g) ?? []).map((value) => value.replace(/\\(.)/g, "$1")));

let haystacks;

function connectionTexts() {
  haystacks ??= data.ids.map((id, c) =>
    `${data.schemas[c]}\n${id}\n${serviceName(c)}\n${groupName(c)}`.toLowerCase());
  return haystacks;
}

const hits = (texts, word) => Uint8Array.from(texts, (text) => (text.includes(word) ? 1 : 0));
const lower = (texts) => texts.map((text) => text.toLowerCase());
let lowered;
let keyTexts;
const lowTexts = () =>
  (keyTexts ??= { ids: lower(data.ids), schemas: lower(data.schemas), fields: lower(data.fields) });

// For one word: a byte for each connection, and each text a finding points to, that holds it.
function wordHits(word) {
  lowered ??= {
    rules: data.rules.map((r) => [r.id, r.title, r.policy, ...r.tags].join("\n").toLowerCase()),
    messages: lower(data.messages),
    notes: lower(data.notes),
    evidence: data.actual.map((text, e) =>
      `${text}\n${data.fields[data.fieldOf[e]]}\n${data.expected[data.expectedOf[e]]}`.toLowerCase()),
  };
  return {
    connection: hits(connectionTexts(), word),
    rule: hits(lowered.rules, word),
    message: hits(lowered.messages, word),
    note: hits(lowered.notes, word),
    evidence: hits(lowered.evidence, word),
    word, several: /\W/.test(word),
  };
}

const holds = (f, hit) =>
  hit.rule[data.rule[f]] || hit.message[data.message[f]] || hit.note[data.note[f]]
  || anyOf(data.connection[f], hit.connection) || anyOf(data.evidence[f], hit.evidence)
  || groupKey(f).toLowerCase().includes(hit.word)
  // What is more than one word may reach over a mark in a message that others share.
  || (hit.several && message(f).toLowerCase().includes(hit.word));

// The filters that are set, each with a byte for each of its texts.
const setFilters = (state) => FACETS.filter(({ name }) => state[name])
  .map((facet) => ({ facet, bytes: named(facet.texts, chosen(state[facet.name])) }));

const SEVERAL = 255;

// The findings that fit, and why others do not: 0 for one that fits, n + 1 where only filter n
// keeps it out, SEVERAL otherwise. Counts beside a filter's choices need the second.
function matchFindings(state) {
  const filters = setFilters(state);
  const terms = compileQuery(state.q);
  const misses = new Uint8Array(findingCount);
  const rows = new Int32Array(findingCount);
  let count = 0;
  for (let f = 0; f < findingCount; f++) {
    let miss = 0;
    for (let n = 0; n < filters.length; n++) {
      const { facet, bytes } = filters[n];
      if (!anyOf(facet.ofFinding(f), bytes)) miss = miss ? SEVERAL : n + 1;
    }
    if (miss !== SEVERAL && terms.length && !terms.every((term) => term.finding(f))) miss = SEVERAL;
    misses[f] = miss;
    if (!miss) rows[count++] = f;
  }
  return { rows: rows.slice(0, count), misses, filters };
}

// How many findings each text of `facet` would select, all other filters kept.
function liveCounts(facet, { misses, filters }) {
  const own = filters.findIndex((filter) => filter.facet === facet) + 1;
  const counts = new Uint32Array(facet.texts.length);
  for (let f = 0; f < findingCount; f++) {
    if (misses[f] && misses[f] !== own) continue;
    const at = facet.ofFinding(f);
    if (typeof at === "number") counts[at]++;
    else for (const each of at) counts[each]++;
  }
  return counts;
}

function matchConnections(state) {
  const filters = setFilters(state).filter(({ facet }) => facet.ofConnection);
  const wanted = chosen(state.verdict);
  const rule = ruleNumber.get(state.rule);
  const verdicts = rule === undefined ? null : verdictsOfRule(rule);
  const counts = VERDICTS.flatMap((label, v) => (wanted.has(label) ? [tallies()[v]] : []));
  const terms = compileQuery(state.q).filter((term) => term.connection);
  const rows = new Int32Array(connectionCount);
  let count = 0;
  for (let c = 0; c < connectionCount; c++) {
    const fits = !wanted.size
      || (verdicts ? wanted.has(VERDICTS[verdicts[c]]) : counts.some((tally) => tally[c]));
    if (fits && filters.every(({ facet, bytes }) => anyOf(facet.ofConnection(c), bytes))
        && terms.every((term) => term.connection(c))) rows[count++] = c;
  }
  return { rows: rows.slice(0, count) };
}

// For each text its place when all are sorted, numbers first; equal texts share one.
function ranks(texts) {
  const keys = lower(texts);
  const numbers = Float64Array.from(keys, (key) => (key === "" ? NaN : Number(key)));
  const compare = (a, b) => {
    const [x, y] = [numbers[a], numbers[b]];
    if (x === x && y === y) return x - y;
    if (x === x || y === y) return x === x ? -1 : 1;
    return keys[a] < keys[b] ? -1 : Number(keys[a] > keys[b]);
  };
  const order = keys.map((_, position) => position).sort(compare);
  const places = new Int32Array(texts.length);
  let place = 0;
  order.forEach((position, at) => {
    if (at && compare(order[at - 1], position)) place++;
    places[position] = place;
  });
  return places;
}

const rankOfColumn = new Map();

// The place of each of `count` rows in the order of a column's texts.
function textRank(column, count) {
  if (!rankOfColumn.has(column)) {
    const numbers = new Map();
    const numberOf = Int32Array.from({ length: count }, (_, row) => {
      const text = column.text(row);
      if (!numbers.has(text)) numbers.set(text, numbers.size);
      return numbers.get(text);
    });
    const places = ranks([...numbers.keys()]);
    rankOfColumn.set(column, numberOf.map((each) => places[each]));
  }
  const rank = rankOfColumn.get(column);
  return (row) => rank[row];
}

// Sorts by numbers alone: the rank first, then the place the row had, so equal rows keep it.
function sorted(rows, rankOf, descending) {
  const keys = new Float64Array(rows.length);
  for (let at = 0; at < rows.length; at++) {
    keys[at] = (descending ? -rankOf(rows[at]) : rankOf(rows[at])) * rows.length + at;
  }
  keys.sort();
  return Int32Array.from(keys, (key) => rows[((key % rows.length) + rows.length) % rows.length]);
}
