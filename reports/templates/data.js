// What the island holds, and how a finding is read from its columns (auditor/reports/page/island.py).

const data = JSON.parse(document.getElementById("data").textContent);
// A comparison has a row per change where a report has one per finding, and its own words instead of
// verdicts; each looks as one of them (auditor/reports/comparison/island.py).
const COMPARED = data.mode === "comparison";
const CHECKED = ["pass", "fail", "error", "skip", "waived", "known"];
const VERDICTS = data.words ?? CHECKED;
const JUDGED = COMPARED ? { name: "change", label: "Change" } : { name: "verdict", label: "Verdict" };
const ROW = COMPARED ? "change" : "finding";
const lookOf = (label) => data.looks?.[label] ?? label;
// What calls for action.
const OPEN_WORDS = data.open ?? ["fail", "error"];
const isOpen = Uint8Array.from(VERDICTS, (label) => (OPEN_WORDS.includes(label) ? 1 : 0));
const VIOLATED = COMPARED ? ["new", "raised", "again", "unchanged"] : ["fail"];
const capital = (text) => text.replace(/^./, (first) => first.toUpperCase());
const SEVERITIES = ["", "low", "medium", "high", "critical"];
const findingCount = data.rule.length;
const connectionCount = data.ids.length;
const verdictOf = Uint8Array.from(data.verdict);
const severityOf = Uint8Array.from(data.rule, (rule) => data.rules[rule].severity);
// Which findings are new since the run before, or the baseline; unknown without either.
const freshOf = new Uint8Array(findingCount);
for (const finding of data.fresh ?? []) freshOf[finding] = 1;
const ruleNumber = new Map(data.rules.map((rule, number) => [rule.id, number]));

const asList = (value) => (typeof value === "number" ? [value] : value);
const connectionsOf = (finding) => asList(data.connection[finding]);
const evidenceOf = (finding) => asList(data.evidence[finding]);
const ruleOf = (finding) => data.rules[data.rule[finding]];
const serviceName = (connection) => data.services[data.serviceOf[connection]];
const groupName = (connection) => data.groups[data.groupOf[connection]];
const groupKey = (finding) => data.group[finding] ?? "";
// A group is known by its name; its id, or both, are understood too.
const groupNumber = new Map();
data.groups.forEach((name, g) => {
  for (const text of [`${name} (${data.groupIds[g]})`, data.groupIds[g]]) groupNumber.set(text, g);
});
data.groups.forEach((name, g) => groupNumber.set(name, g));
const groupId = (connection) => data.groupIds[data.groupOf[connection]];
// Whether an id adds anything to the name.
const NAMED_GROUPS = data.groups.some((name, g) => name !== data.groupIds[g]);
const groupCalled = (text) => data.groups[groupNumber.get(text)] ?? text;
// The text that names a judged group, with the names of groups in place of their ids.
function keyInWords(text, per) {
  const parts = text.split(", ");
  return parts.length !== per.length ? groupCalled(text)
    : parts.map((each, at) => (per[at] === "group_id" ? groupCalled(each) : each)).join(", ");
}
const judgedGroup = (finding) => groupKey(finding) && keyInWords(groupKey(finding), ruleOf(finding).per);
// The groups that a finding belongs to, by number: those of its connections or, if it is about a
// group without any, that group.
const numberOfGroupId = new Map(data.groupIds.map((id, g) => [id, g]));
function groupsOf(finding) {
  const all = connectionsOf(finding);
  if (all.length) return [...new Set(all.map((c) => data.groupOf[c]))];
  const { per } = ruleOf(finding);
  const parts = groupKey(finding).split(", ");
  const group = parts.length === per.length ? numberOfGroupId.get(parts[per.indexOf("group_id")]) : undefined;
  return group === undefined ? [] : [group];
}
const note = (finding) => data.notes[data.note[finding]];
// What a Terraform plan does, a row per attribute; a column of it without repetitions.
const planned = (finding) => data.terraform?.[finding] ?? [];
const inPlan = (at) => (finding) =>
  [...new Set(planned(finding).map((row) => row[at]))].filter(Boolean).join("; ");
// When a finding was first seen, as an ISO time; "" without a history.
const openSince = (finding) => (data.since ? data.sinces[data.since[finding]] : "");
const openDay = (finding) => openSince(finding).slice(0, 10);

// How long a finding has been open, as a row shows it: "10 days".
function age(finding) {
  const since = openSince(finding);
  if (!since) return "";
  const days = Math.floor(daysOpen(since));
  return days > 0 ? plural(days, "day") : "today";
}
const number = new Intl.NumberFormat("en").format;
const plural = (count, noun, many = `${noun}s`) => `${number(count)} ${count === 1 ? noun : many}`;

function joined(finding, name) {
  const all = connectionsOf(finding);
  if (!all.length) return "";
  const first = name(all[0]);
  if (all.length === 1) return first;
  const distinct = new Set(all.map(name));
  return distinct.size === 1 ? first : `${first} + ${number(distinct.size - 1)}`;
}

function actual(finding) {
  const all = evidenceOf(finding);
  if (all.length === 1) return data.actual[all[0]];
  return all.map((entry) => `${data.fields[data.fieldOf[entry]]}: ${data.actual[entry]}`).join("; ");
}

function expected(finding) {
  const all = evidenceOf(finding);
  return [...new Set(all.map((entry) => data.expected[data.expectedOf[entry]]))].join("; ");
}

const field = (finding) =>
  [...new Set(evidenceOf(finding).map((entry) => data.fields[data.fieldOf[entry]]))].join(", ");

function message(finding) {
  const [first] = connectionsOf(finding);
  const [entry] = evidenceOf(finding);
  return data.messages[data.message[finding]].replace(/[\u0001-\u0003]/g, (mark) => {
    if (mark === "\u0001") return data.ids[first];
    return mark === "\u0002" ? data.schemas[first] : data.actual[entry];
  });
}

// A name that outlives the report: the rule, and what it judged.
function findingId(finding) {
  const all = connectionsOf(finding);
  const first = all.length ? data.ids[all[0]] : "";
  const key = groupKey(finding);
  return key ? `${ruleOf(finding).id}/@${key}/${first}` : `${ruleOf(finding).id}/${first}`;
}

function findFinding(id) {
  const rule = ruleNumber.get(id.slice(0, id.indexOf("/")));
  const rest = id.slice(id.indexOf("/") + 1);
  for (let f = 0; f < findingCount; f++) {
    if (data.rule[f] !== rule) continue;
    const at = data.connection[f];
    if (typeof at === "number" && !groupKey(f) ? data.ids[at] === rest : findingId(f) === id) return f;
  }
  return -1;
}

const decoded = new Map();

// The verdict of every connection under a rule, a byte each. A rule on groups has no such bytes:
// what its findings name counts, and UNKNOWN stands for the rest.
const UNKNOWN = 255;

function verdictsOfRule(rule) {
  if (decoded.has(rule)) return decoded.get(rule);
  const text = atob(data.verdicts[rule]);
  const verdicts = new Uint8Array(connectionCount).fill(UNKNOWN);
  for (let c = 0; c < text.length; c++) verdicts[c] = text.charCodeAt(c);
  if (data.rules[rule].per.length) {
    for (let f = 0; f < findingCount; f++) {
      if (data.rule[f] === rule) for (const c of connectionsOf(f)) verdicts[c] = verdictOf[f];
    }
  }
  decoded.set(rule, verdicts);
  return verdicts;
}

// The verdict of one connection under a rule on connections: four letters of its bytes hold it.
function verdictAt(rule, c) {
  const from = 4 * Math.floor(c / 3);
  return atob(data.verdicts[rule].slice(from, from + 4)).charCodeAt(c % 3);
}

// How many checks of each verdict name each connection; made once, a rule at a time.
const tallying = new Work((function* tallied() {
  const counts = VERDICTS.map(() => new Uint16Array(connectionCount));
  for (let rule = 0; rule < data.rules.length; rule++) {
    const verdicts = verdictsOfRule(rule);
    for (let c = 0; c < connectionCount; c++) {
      if (verdicts[c] !== UNKNOWN) counts[verdicts[c]][c]++;
    }
    if (connectionCount > AT_ONCE) yield;
  }
  return counts;
})());
const tallies = () => tallying.run();
