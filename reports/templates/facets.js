// How findings and connections are selected: filters with counts, groups, words of a query.

const NONE = "(none)";
// Of a comparison, when the newer run that finished was judged.
const JUDGED_AT = new Date([...document.querySelectorAll(".when time")].at(-1)?.dateTime ?? 0);
const DAY = 86_400_000;
const daysOpen = (since) => (since ? (JUDGED_AT - new Date(since)) / DAY : NaN);
const ownersOf = (rule) => rule.tags.filter((tag) => tag.startsWith("owner:")).map((tag) => tag.slice(6));
const tagsOf = (rule) => rule.tags.filter((tag) => !tag.startsWith("owner:"));

// The distinct texts of many lists, and for each list the numbers of its texts: one, or several.
function numbered(lists) {
  const numbers = new Map();
  const numberOf = (text) => {
    if (!numbers.has(text)) numbers.set(text, numbers.size);
    return numbers.get(text);
  };
  const of = lists.map((list) => {
    const all = (list.length ? list : [NONE]).map(numberOf);
    return all.length === 1 ? all[0] : all;
  });
  return { texts: [...numbers.keys()], of };
}

// A facet has texts, and knows which a finding has (a number, or a list of them), and a connection.
const ofRules = (name, label, { texts, of }) =>
  ({ name, label, texts, ofFinding: (f) => of[data.rule[f]] });
const ofConnections = (name, label, texts, of) => ({
  name, label, texts,
  ofConnection: (c) => of[c],
  ofFinding: (f) => {
    const at = data.connection[f];
    return typeof at === "number" ? of[at] : [...new Set(at.map((c) => of[c]))];
  },
});

const FACETS = [
  { ...JUDGED, texts: VERDICTS, ofFinding: (f) => verdictOf[f], exact: true },
  { name: "severity", label: "Severity", texts: SEVERITIES, ofFinding: (f) => severityOf[f], exact: true },
  ...(data.fresh ? [{ name: "is", label: "Status", texts: ["open", "new"], ofFinding: (f) => freshOf[f], exact: true }] : []),
  { name: "rule", label: "Rule", texts: data.rules.map((rule) => rule.id), ofFinding: (f) => data.rule[f] },
  ofConnections("service", "Service", data.services, data.serviceOf),
  // A group can be found by its id too.
  {
    ...ofConnections("group", "Group", data.groups, data.groupOf),
    ofFinding: (f) => (typeof data.connection[f] === "number" ? data.groupOf[data.connection[f]] : groupsOf(f)),
    found: data.groups.map((name, g) => `${name}\n${data.groupIds[g]}`),
  },
  ofRules("owner", "Owner", numbered(data.rules.map(ownersOf))),
  ofRules("tag", "Tag", numbered(data.rules.map(tagsOf))),
  ofRules("control", "Control", numbered(data.rules.map((rule) =>
    rule.controls.flatMap(([framework, ids]) => ids.map((id) => `${framework} ${id}`))))),
  ...data.dimensions.map((each) => ofConnections(`in.${each.name}`, each.name, each.values.map((text) => text || NONE), each.of)),
].filter(({ texts }) => texts.length > 1 || (texts.length === 1 && texts[0] !== NONE));
const facetOf = new Map(FACETS.map((facet) => [facet.name, facet]));

// Findings are grouped by a facet or by their connection; each connection is a group of its own.
const GROUPINGS = [
  ...FACETS,
  { ...ofConnections("connection", "Connection", data.schemas, data.ids.map((_, c) => c)), ofConnection: undefined },
];

function anyOf(value, bytes) {
  return typeof value === "number" ? bytes[value] : value.some((entry) => bytes[entry]);
}

// A byte for each text: whether one of `wanted` names it.
const named = (texts, wanted) => Uint8Array.from(texts, (text) => (wanted.has(text) ? 1 : 0));

// -- the query ---------------------------------------------------------------------------------

const SPAN = { h: 1 / 24, d: 1, w: 7 };
const COMPARE = {
  ">": (a, b) => a > b, "<": (a, b) => a < b, ">=": (a, b) => a >= b, "<=": (a, b) => a <= b,
};

// `severity:critical owner:payments age:>30d -group:dev "two words"` as terms.
function parseQuery(text) {
  const terms = [];
  for (const [, minus, key, value] of text.matchAll(/(-?)(?:([\w.]+):)?("[^"]*"?|\S+)/g)) {
    const bare = value.replaceAll('"', "").toLowerCase();
    if (bare) terms.push({ not: minus === "-", key: key?.toLowerCase() ?? "", value: bare });
  }
  return terms;
}

const facetsCalled = (key) => FACETS.filter(({ name, label }) => name === key || label.toLowerCase() === key);

function bytesOf(facet, value) {
  const [, sign, least] = /^([<>]=?)(.+)$/.exec(value) ?? [];
  if (sign && facet.name === "severity") {
    const level = SEVERITIES.indexOf(least);
    return Uint8Array.from(SEVERITIES, (_, s) => (level > 0 && COMPARE[sign](s, level) ? 1 : 0));
  }
  const wanted = value.split(",").filter(Boolean);
  return Uint8Array.from(facet.found ?? facet.texts, (text) => {
    const low = text.toLowerCase();
    return wanted.some((each) => (facet.exact ? low === each : low.includes(each))) ? 1 : 0;
  });
}

// Which times of `data.sinces` are as old as `age:>30d` asks for; null if it is not an age.
function agesThatFit(value) {
  const [, sign = ">=", count, unit] = /^([<>]=?)?(\d+)([hdw])$/.exec(value) ?? [];
  if (!unit) return null;
  return Uint8Array.from(data.sinces, (since) => (COMPARE[sign](daysOpen(since), count * SPAN[unit]) ? 1 : 0));
}

const TEXT_KEYS = ["connection", "id", "field", "message", "note"];

// What decides a term for a finding and for a connection; `problem` says why nothing can, `hint` what
// may be misspelt if nothing is found.
function* compileTerm({ key, value, not }, whole) {
  const signed = (test) => (not ? (row) => !test(row) : test);
  const facets = facetsCalled(key);
  if (facets.length) {
    const masks = facets.map((facet) => [facet, bytesOf(facet, value)]);
    const every = (way) => masks.filter(([facet]) => facet[way]);
    const test = (way) => (row) => every(way).some(([facet, bytes]) => anyOf(facet[way](row), bytes));
    const onConnections = every("ofConnection").length > 0;
    return {
      finding: signed(test("ofFinding")), connection: onConnections ? signed(test("ofConnection")) : null,
      problem: onConnections ? "" : `${key}: filters findings, not connections`,
      hint: not || masks.some(([, bytes]) => bytes.includes(1)) ? "" : `This report has no ${facets[0].label.toLowerCase()} “${value}”`,
    };
  }
  if (key === "age") {
    const bytes = data.since ? agesThatFit(value) : null;
    if (!bytes) {
      const problem = data.since ? `age:${value} is not an age; write age:>30d` : "age: needs a run with a history (--history)";
      return { finding: () => false, connection: () => false, problem, void: true };
    }
    return { finding: signed((f) => bytes[data.since[f]]), connection: null, problem: "age: filters findings, not connections" };
  }
  if (TEXT_KEYS.includes(key)) {
    if (key === "connection" || key === "id") {
      const bytes = yield* hits((yield* lowTexts[key].within()), value);
      return { finding: signed((f) => anyOf(data.connection[f], bytes)), connection: signed((c) => bytes[c]), problem: "" };
    }
    const bytes = key === "field" ? yield* hits(data.fields.map(low), value) : null;
    const test = bytes ? (f) => evidenceOf(f).some((e) => bytes[data.fieldOf[e]])
      : key === "message" ? messageHits(value, yield* nameHits(value)) : (f) => note(f).toLowerCase().includes(value);
    return { finding: signed(test), connection: null, problem: `${key}: filters findings, not connections` };
  }
  const hit = yield* wordHits(key ? whole : value);
  const hint = key && !not ? `This report has no filter “${key}”, so “${whole}” was searched for as text` : "";
  return { finding: signed((f) => holds(f, hit)), connection: signed((c) => hit.connection[c]), problem: "", hint };
}

function* compileQuery(text) {
  const terms = [];
  for (const term of parseQuery(text)) terms.push(yield* compileTerm(term, `${term.key}:${term.value}`));
  return terms;
}

// What to mark in the rows: the query's words, and the values of its keys.
function marksOf(text) {
  const wanted = parseQuery(text).filter((term) => !term.not && !/^[<>]/.test(term.value))
    .flatMap((term) => (term.key && !facetsCalled(term.key).length && !TEXT_KEYS.includes(term.key)
      ? [`${term.key}:${term.value}`] : term.value.split(",")))
    .filter(Boolean).map((each) => each.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return wanted.length ? new RegExp(`(${wanted.join("|")})`, "gi") : null;
}

// -- groups of rows ----------------------------------------------------------------------------

// A group of rows: those of `all` in a range; there may be as many groups as rows.
// The parts of its bar are counted when it comes into view.
class Group {
  constructor(key, label, way, all, from, to) {
    this.key = key;
    this.label = label;
    this.way = way;
    this.all = all;
    this.from = from;
    this.size = to - from;
    this.share = 1;
    this.open = false;
  }

  get rows() {
    return this.all.subarray(this.from, this.from + this.size);
  }

  // How many rows there are of each look: a finding's severity, or a connection's outcome.
  get pieces() {
    this.counted ??= piecesOf(this);
    return this.counted;
  }
}

function piecesOf({ rows, way }) {
  const counts = new Map();
  for (const row of rows) {
    const look = way === "ofFinding"
      ? (unsettled(row) && !COMPARED ? SEVERITIES[severityOf[row]] : VERDICTS[verdictOf[row]])
      : (tallies()[1][row] ? "fail" : tallies()[2][row] ? "error" : "pass");
    counts.set(look, (counts.get(look) ?? 0) + 1);
  }
  return LOOKS.filter((look) => counts.has(look)).map((look) => [look, counts.get(look)]);
}

// The rows of each text of a facet, and those without any; most first, severities by their order.
function* grouped(rows, facet, way) {
  const none = facet.texts.length;
  const places = facet[way];
  const counts = new Uint32Array(none + 1);
  function* each(visit) {
    for (let n = 0; n < rows.length; n++) {
      const at = places(rows[n]);
      if (typeof at === "number") visit(at, rows[n]);
      else if (at.length) for (let m = 0; m < at.length; m++) visit(at[m], rows[n]);
      else visit(none, rows[n]);
      if (pauses(n)) yield;
    }
  }
  yield* each((at) => { counts[at]++; });
  const starts = new Uint32Array(none + 2);
  for (let at = 0; at <= none; at++) starts[at + 1] = starts[at] + counts[at];
  const ordered = new Int32Array(starts[none + 1]);
  const next = starts.slice();
  yield* each((at, row) => { ordered[next[at]++] = row; });
  const there = Int32Array.from(counts.keys()).filter((at) => counts[at]);
  const order = sorted(there, facet.name === "severity" ? (at) => at : (at) => counts[at], true);
  const groups = [];
  for (const at of order) {
    groups.push(new Group(at, facet.texts[at] || NONE, way, ordered, starts[at], starts[at + 1]));
    if (pauses(groups.length)) yield;
  }
  return groups;
}

const LOOKS = data.words ?? ["critical", "high", "medium", "low", "fail", "error", "waived", "known", "pass"];
const unsettled = (f) => isOpen[verdictOf[f]];
const violated = (f) => VIOLATED.includes(VERDICTS[verdictOf[f]]);
