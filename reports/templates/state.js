// What is looked at: the URL's fragment, the rows it selects, their order.

const DEFAULTS = {
  show: "findings", q: "", rule: "", verdict: "", severity: "", service: "", group: "",
  sort: "", columns: "", finding: "", connection: "", about: "",
};
const FILTERS = ["q", "rule", "verdict", "severity", "service", "group"];

function readState() {
  const state = { ...DEFAULTS };
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
    if (Object.hasOwn(DEFAULTS, name)) state[name] = value;
  }
  if (state.show !== "connections") state.show = "findings";
  return state;
}

function fragment(state) {
  const changed = Object.entries(state).filter(([name, value]) => value !== DEFAULTS[name]);
  return `#${new URLSearchParams(changed)}`.replaceAll("%2C", ",").replaceAll("%2F", "/");
}

const chosen = (list) => new Set(list.split(",").filter(Boolean));

// A byte for each of `labels`: whether the comma-separated `list` names it (an empty one names all).
function mask(labels, list) {
  const names = chosen(list);
  return Uint8Array.from(labels, (label) => (!names.size || names.has(label) ? 1 : 0));
}

let haystacks;

function connectionTexts() {
  haystacks ??= data.ids.map((id, c) =>
    `${data.schemas[c]}\n${id}\n${serviceName(c)}\n${groupName(c)}`.toLowerCase());
  return haystacks;
}

const hits = (texts, word) => Uint8Array.from(texts, (text) => (text.includes(word) ? 1 : 0));
const lower = (texts) => texts.map((text) => text.toLowerCase());
let lowered;

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
    word,
  };
}

function anyOf(value, bytes) {
  return typeof value === "number" ? bytes[value] : value.some((entry) => bytes[entry]);
}

const holds = (f, hit) =>
  hit.rule[data.rule[f]] || hit.message[data.message[f]] || hit.note[data.note[f]]
  || anyOf(data.connection[f], hit.connection) || anyOf(data.evidence[f], hit.evidence)
  || groupKey(f).toLowerCase().includes(hit.word);

const words = (state) => state.q.toLowerCase().split(/\s+/).filter(Boolean);

function connectionMask(state) {
  if (!state.service && !state.group) return null;
  const service = state.service ? data.services.indexOf(state.service) : -1;
  const group = state.group ? data.groups.indexOf(state.group) : -1;
  const bytes = new Uint8Array(connectionCount);
  for (let c = 0; c < connectionCount; c++) {
    bytes[c] = (!state.service || data.serviceOf[c] === service)
      && (!state.group || data.groupOf[c] === group) ? 1 : 0;
  }
  return bytes;
}

function matchFindings(state) {
  const verdicts = mask(VERDICTS, state.verdict);
  const severities = mask(SEVERITIES, state.severity);
  const rules = mask(data.rules.map((rule) => rule.id), state.rule);
  const connections = connectionMask(state);
  const needles = words(state).map(wordHits);
  const rows = new Int32Array(findingCount);
  let count = 0;
  for (let f = 0; f < findingCount; f++) {
    if (verdicts[verdictOf[f]] && severities[severityOf[f]] && rules[data.rule[f]]
        && (!connections || anyOf(data.connection[f], connections))
        && needles.every((hit) => holds(f, hit))) rows[count++] = f;
  }
  return rows.slice(0, count);
}

function matchConnections(state) {
  const bytes = connectionMask(state);
  const wanted = chosen(state.verdict);
  const rule = ruleNumber.get(state.rule);
  const verdicts = rule === undefined ? null : verdictsOfRule(rule);
  const counts = VERDICTS.flatMap((label, v) => (wanted.has(label) ? [tallies()[v]] : []));
  const needles = words(state);
  const texts = needles.length ? connectionTexts() : [];
  const rows = new Int32Array(connectionCount);
  let count = 0;
  for (let c = 0; c < connectionCount; c++) {
    const fits = !wanted.size
      || (verdicts ? wanted.has(VERDICTS[verdicts[c]]) : counts.some((tally) => tally[c]));
    if (fits && (!bytes || bytes[c]) && needles.every((word) => texts[c].includes(word))) {
      rows[count++] = c;
    }
  }
  return rows.slice(0, count);
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
