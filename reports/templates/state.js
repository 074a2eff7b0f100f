// The state of the page: the URL's fragment, the rows it selects, their order.

const FILTERS = ["q", ...FACETS.map((facet) => facet.name)];
const DEFAULTS = {
  show: "findings", ...Object.fromEntries(FILTERS.map((name) => [name, ""])),
  by: "", open: "", sort: "", columns: "", finding: "", connection: "", about: "", within: "",
};
// The kinds of sheet: for a finding, a connection, a rule, a group.
const SHEETS = ["finding", "connection", "about", "within"];
const opened = (state) => SHEETS.some((name) => state[name]);

function readState() {
  const state = { ...DEFAULTS };
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
    if (Object.hasOwn(DEFAULTS, name)) state[name] = value;
  }
  if (state.show !== "connections" || COMPARED) state.show = "findings";
  if (state.group) state.group = listed([...chosen(state.group)].map(groupCalled));
  state.within = groupCalled(state.within);
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

const low = (text) => text.toLowerCase();

// The text to search, made once: one for each of `count` things.
const lowered = (count, textOf) => new Work((function* made() {
  const all = new Array(count);
  for (let at = 0; at < count; at++) {
    all[at] = low(textOf(at));
    if (pauses(at)) yield;
  }
  return all;
})());
const connectionTexts = lowered(connectionCount, (c) =>
  `${data.schemas[c]}\n${data.ids[c]}\n${serviceName(c)}\n${groupName(c)}\n${groupId(c)}`);
const evidenceTexts = lowered(data.actual.length, (e) =>
  `${data.actual[e]}\n${data.fields[data.fieldOf[e]]}\n${data.expected[data.expectedOf[e]]}`);
const lowTexts = {
  id: lowered(connectionCount, (c) => data.ids[c]), connection: lowered(connectionCount, (c) => data.schemas[c]),
};
const messageTexts = lowered(data.messages.length, (m) => data.messages[m]);
const noteTexts = lowered(data.notes.length, (n) => data.notes[n]);
const ruleTexts = data.rules.map((r) => low([r.id, r.title, r.policy, ...r.tags].join("\n")));

// A byte for each text: whether it holds the word.
function* hits(all, word) {
  const bytes = new Uint8Array(all.length);
  for (let at = 0; at < bytes.length; at++) {
    bytes[at] = all[at].includes(word) ? 1 : 0;
    if (pauses(at)) yield;
  }
  return bytes;
}

function* nameHits(word) {
  return yield* hits(yield* lowTexts.connection.within(), word);
}

// For one word: a byte for each connection, and each text a finding points to, that holds it.
function* wordHits(word) {
  return {
    connection: yield* hits(yield* connectionTexts.within(), word),
    rule: yield* hits(ruleTexts, word),
    message: yield* hits(yield* messageTexts.within(), word),
    note: yield* hits(yield* noteTexts.within(), word),
    evidence: yield* hits(yield* evidenceTexts.within(), word),
    says: /\W/.test(word) ? messageHits(word, yield* nameHits(word)) : null,
    word,
  };
}

// Whether a message holds a word. Most messages of one template read alike but for the connection
// that they begin with: each of those texts is looked at once, and which names would end as a word
// that reaches from one into the other begins.
function messageHits(word, names) {
  const known = new Map();
  const lookAt = (f) => {
    const rest = low(message(f).slice(nameBefore(f).length));
    const whole = low(briefly(f)).includes(word);
    const ends = [];
    for (let at = 1; at < word.length; at++) if (rest.startsWith(word.slice(at))) ends.push(word.slice(0, at));
    return { whole, ends };
  };
  return (f) => {
    const key = messageKey(f);
    if (typeof key !== "number") return low(key).includes(word);
    let hit = known.get(key);
    if (hit === undefined) known.set(key, hit = lookAt(f));
    if (hit.whole) return true;
    if (!nameBefore(f)) return false;
    const c = data.connection[f];
    return names[c] === 1 || hit.ends.some((end) => low(data.schemas[c]).endsWith(end));
  };
}

const holds = (f, hit) =>
  hit.rule[data.rule[f]] || hit.message[data.message[f]] || hit.note[data.note[f]]
  || anyOf(data.connection[f], hit.connection) || anyOf(data.evidence[f], hit.evidence)
  || (f in data.group && low(groupKey(f)).includes(hit.word))
  // A search for several words may span a mark in a shared message.
  || (hit.says !== null && hit.says(f));

// The filters that are set, each with a byte for each of its texts.
const setFilters = (state) => FACETS.filter(({ name }) => state[name])
  .map((facet) => ({ facet, bytes: named(facet.texts, chosen(state[facet.name])) }));

const SEVERAL = 255;

// The findings that fit, and why others do not: 0 for one that fits, n + 1 where only filter n
// keeps it out, SEVERAL otherwise. Counts beside a filter's choices need the second.
function* matchFindings(state) {
  const filters = setFilters(state);
  const terms = yield* compileQuery(state.q);
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
    if (pauses(f)) yield;
  }
  return { rows: rows.slice(0, count), misses, filters, terms };
}

// How many findings each text of `facet` would select, all other filters kept.
const liveCounts = (facet, found) => new Work(counting(facet, found)).run();

function* counting(facet, found) {
  found.counts ??= new Map();
  if (found.counts.has(facet)) return found.counts.get(facet);
  const { misses, filters } = found;
  const own = filters.findIndex((filter) => filter.facet === facet) + 1;
  const counts = new Uint32Array(facet.texts.length);
  for (let f = 0; f < findingCount; f++) {
    if (pauses(f)) yield;
    if (misses[f] && misses[f] !== own) continue;
    const at = facet.ofFinding(f);
    if (typeof at === "number") counts[at]++;
    else for (const each of at) counts[each]++;
  }
  found.counts.set(facet, counts);
  return counts;
}

function* matchConnections(state) {
  const filters = setFilters(state).filter(({ facet }) => facet.ofConnection);
  const wanted = chosen(state.verdict);
  const rule = ruleNumber.get(state.rule);
  const verdicts = rule === undefined ? null : verdictsOfRule(rule);
  const tally = wanted.size ? yield* tallying.within() : [];
  const counts = VERDICTS.flatMap((label, v) => (wanted.has(label) ? [tally[v]] : []));
  const terms = yield* compileQuery(state.q);
  const asked = terms.filter((term) => term.connection);
  const rows = new Int32Array(connectionCount);
  let count = 0;
  for (let c = 0; c < connectionCount; c++) {
    const fits = !wanted.size
      || (verdicts ? wanted.has(VERDICTS[verdicts[c]]) : counts.some((tally) => tally[c]));
    if (fits && filters.every(({ facet, bytes }) => anyOf(facet.ofConnection(c), bytes))
        && asked.every((term) => term.connection(c))) rows[count++] = c;
    if (pauses(c)) yield;
  }
  return { rows: rows.slice(0, count), terms };
}

// Sorts distinct texts, some at a time: runs first, then two runs to one.
function* sortedTexts(texts) {
  let runs = [];
  for (let from = 0; from < texts.length; from += AT_ONCE) {
    runs.push(texts.slice(from, from + AT_ONCE).sort());
    if (from + AT_ONCE < texts.length) yield;
  }
  while (runs.length > 1) {
    const next = [];
    for (let n = 0; n < runs.length; n += 2) next.push(n + 1 < runs.length ? yield* merged(runs[n], runs[n + 1]) : runs[n]);
    runs = next;
  }
  return runs[0] ?? [];
}

function* merged(one, other) {
  const all = new Array(one.length + other.length);
  let a = 0;
  let b = 0;
  for (let n = 0; n < all.length; n++) {
    all[n] = b === other.length || (a < one.length && one[a] <= other[b]) ? one[a++] : other[b++];
    if (pauses(n)) yield;
  }
  return all;
}

// For each text its place when all are sorted, numbers first; equal texts share one.
function* ranks(texts) {
  const keys = new Array(texts.length);
  const words = new Set();
  const numbers = new Set();
  for (let at = 0; at < keys.length; at++) {
    const key = texts[at].toLowerCase();
    const value = /^[-+.\d]/.test(key) ? Number(key.replaceAll(",", "")) : NaN;
    keys[at] = value === value ? value : key;
    (value === value ? numbers : words).add(keys[at]);
    if (pauses(at)) yield;
  }
  const order = [...[...numbers].sort((x, y) => x - y), ...(yield* sortedTexts([...words]))];
  const place = new Map();
  for (let at = 0; at < order.length; at++) {
    place.set(order[at], at);
    if (pauses(at)) yield;
  }
  const places = new Int32Array(keys.length);
  for (let at = 0; at < keys.length; at++) {
    places[at] = place.get(keys[at]);
    if (pauses(at)) yield;
  }
  return places;
}

const rankOfColumn = new Map();

// The place of each of `count` rows in the order of a column's texts. A column may know by `key`
// which rows have one text, as a number or a text, so that it is made once.
function* rankedRows(column, count) {
  const key = column.key ?? column.text;
  const numbers = new Map();
  const texts = [];
  const numberOf = new Int32Array(count);
  for (let row = 0; row < count; row++) {
    const known = key(row);
    let at = numbers.get(known);
    if (at === undefined) {
      at = texts.length;
      numbers.set(known, at);
      texts.push((column.shown ?? column.text)(row));
    }
    numberOf[row] = at;
    if (pauses(row)) yield;
  }
  const places = yield* ranks(texts);
  return numberOf.map((each) => places[each]);
}

function rankWork(column, count) {
  if (!rankOfColumn.has(column)) rankOfColumn.set(column, new Work(rankedRows(column, count)));
  return rankOfColumn.get(column);
}

// Sorts by numbers alone: the rank first, then the place the row had, so equal rows keep it.
function sorted(rows, rankOf, descending) {
  const keys = new Float64Array(rows.length);
  let [least, most] = [Infinity, -Infinity];
  let whole = true;
  for (let at = 0; at < rows.length; at++) {
    const key = descending ? -rankOf(rows[at]) : rankOf(rows[at]);
    keys[at] = key;
    if (key < least) least = key;
    if (key > most) most = key;
    whole &&= Number.isInteger(key);
  }
  if (rows.length && whole && most - least <= 4 * rows.length) return placed(rows, keys, least, most);
  const order = Float64Array.from(keys, (key, at) => key * rows.length + at).sort();
  return Int32Array.from(order, (key) => rows[((key % rows.length) + rows.length) % rows.length]);
}

// Rows by whole numbers that are close together: counted, and put in their places.
function placed(rows, keys, least, most) {
  const starts = new Uint32Array(most - least + 2);
  for (let at = 0; at < keys.length; at++) starts[keys[at] - least + 1]++;
  for (let n = 1; n < starts.length; n++) starts[n] += starts[n - 1];
  const result = new Int32Array(rows.length);
  for (let at = 0; at < keys.length; at++) result[starts[keys[at] - least]++] = rows[at];
  return result;
}
