// The columns of both tables: what a cell shows, how it sorts, how much room it needs (in rem).

const badge = (name, make, labels) => ({
  prepare: (cell) => cell.append(make(labels[1])),
  fill: (cell, label) => {
    const span = cell.firstElementChild;
    if (span.lastElementChild.textContent === label) return;
    const look = `${name[0]}-${name === "verdict" ? lookOf(label) : label}`;
    span.className = `${name} ${look}`;
    span.firstElementChild.firstElementChild.setAttribute("href", `#i-${look}`);
    span.lastElementChild.textContent = label;
  },
});
const drawVerdict = badge("verdict", verdictBadge, VERDICTS);
const drawSeverity = badge("severity", severityBadge, SEVERITIES);

// The name of its only connection, if the message begins with it.
function nameBefore(f) {
  const at = data.connection[f];
  return typeof at === "number" && /^\u0002:? /.test(data.messages[data.message[f]]) ? data.schemas[at] : "";
}

// The message as a row shows it, without the connection at its start: that is beside it.
const briefly = (f) => message(f).slice(nameBefore(f).length).replace(/^:? /, "");

// The outcome of a run in a comparison.
const checkedAs = (verdict) => CHECKED[verdict] ?? "not checked";

// A key for the text of a finding's connections: `one` of a single one, or the text.
function oneOr(f, one, name) {
  const at = data.connection[f];
  return typeof at === "number" ? one(at) : joined(f, name);
}

// By a message's template: whether a row shows nothing of the connection in it.
let plainMessages;

// Messages of one template and one value read alike in a row, unless they name their connection.
function messageKey(f) {
  plainMessages ??= Uint8Array.from(data.messages, (text) => (/[\u0001\u0002]/.test(text.replace(/^\u0002:? /, "")) ? 0 : 1));
  const template = data.message[f];
  // If it is about several, the row also names the first.
  if (!plainMessages[template] || typeof data.connection[f] !== "number") return message(f);
  const at = data.evidence[f];
  return template * data.actual.length + (typeof at === "number" ? at : at[0] ?? 0);
}

const line = (name) => el("span", { class: name });
const say = (span, text, pattern) => {
  if (span.said === text && span.pattern === pattern) return;
  span.replaceChildren(...marked(text, pattern));
  Object.assign(span, { said: text, pattern });
};

// A connection by name; below it what else identifies it, unless that has its own column.
const drawConnection = {
  prepare: (cell) => cell.append(line("name"), el("span", { class: "under" }, line("of-service"), line("of-group"))),
  fill: (cell, f, pattern) => {
    say(cell.children[0], joined(f, (c) => data.schemas[c]) || judgedGroup(f), pattern);
    const [service, group] = cell.children[1].children;
    say(service, joined(f, serviceName), pattern);
    say(group, groupOf(f), pattern);
  },
};
const groupOf = (f) => judgedGroup(f) || joined(f, groupName);

// A time for people, exact to the minute; any other value as it is.
function agoOr(text) {
  const [, day, minute] = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d):[\d.]+Z$/.exec(text) ?? [];
  const days = Math.floor(daysOpen(day ? text : ""));
  return days > 0 ? `${plural(days, "day")} ago, ${day} ${minute} UTC` : day ? `${day} ${minute} UTC` : text;
}

// Whether a message already says all of a piece of evidence, as it does for rules without their own.
const tellsAll = (says, e) =>
  [data.fields[data.fieldOf[e]], data.expected[data.expectedOf[e]], data.actual[e]].every((text) => says.includes(text));

// In a comparison, what a finding says may no longer be true.
const ENDED = COMPARED ? ["fixed", "gone"] : [];

// What was found, and below it the field with its expected and its actual value.
const drawMessage = {
  prepare: (cell) => cell.append(line("says"), el("span", { class: "seen" },
    line("at"), " ", el("span", { class: "wanted" }), " ", el("span", { class: "was" }), line("others"))),
  fill: (cell, f, pattern) => {
    const says = briefly(f);
    say(cell.children[0], says, pattern);
    const seen = cell.children[1];
    const [at, wanted, was, others] = seen.children;
    const all = evidenceOf(f);
    const [first] = all;
    seen.classList.toggle("past", ENDED.includes(VERDICTS[verdictOf[f]]));
    seen.hidden = !all.length || tellsAll(says, first);
    if (seen.hidden) return;
    say(at, data.fields[data.fieldOf[first]], pattern);
    say(wanted, data.expected[data.expectedOf[first]], pattern);
    say(was, agoOr(data.actual[first]), pattern);
    was.title = was.said === data.actual[first] ? "" : data.actual[first];
    say(others, all.length > 1 ? `and ${number(all.length - 1)} more` : "", null);
  },
};

// A column for each dimension. A name may contain anything, so a column is known by its number.
const dimensionColumns = (textOf, keyOf) => data.dimensions.map((each, n) => ({
  id: `in${n}`, label: each.name, least: 7, grow: 0.7,
  text: (row) => textOf(row, (c) => each.values[each.of[c]]), key: (row) => keyOf(row, each),
}));
// Shown at first are those that somebody asked for: these come with any rule that reads a fact.
const ASKED = data.dimensions.flatMap(({ name }, n) => (["owner", "region"].includes(name) ? [] : [`in${n}`]));

const FINDING_COLUMNS = [
  {
    id: "severity", label: "Severity", least: 6.75, grow: 0, text: (f) => SEVERITIES[severityOf[f]],
    rank: () => (f) => -severityOf[f], prepare: drawSeverity.prepare,
    fill: (cell, f) => drawSeverity.fill(cell, SEVERITIES[severityOf[f]]),
  },
  {
    id: "verdict", label: JUDGED.label, least: 7, grow: 0, text: (f) => VERDICTS[verdictOf[f]],
    rank: () => (f) => verdictOf[f], prepare: drawVerdict.prepare,
    fill: (cell, f) => drawVerdict.fill(cell, VERDICTS[verdictOf[f]]),
  },
  {
    id: "connection", label: "Connection", least: 9, grow: 1.3,
    text: (f) => joined(f, (c) => data.schemas[c]),
    key: (f) => oneOr(f, (c) => data.schemas[c], (c) => data.schemas[c]), ...drawConnection,
  },
  {
    id: "service", label: "Service", least: 7, grow: 0.8, text: (f) => joined(f, serviceName),
    key: (f) => oneOr(f, (c) => data.serviceOf[c], serviceName),
  },
  {
    id: "group", label: "Group", least: 7, grow: 0.9,
    text: groupOf, hint: NAMED_GROUPS ? (f) => joined(f, groupId) : undefined,
    key: (f) => judgedGroup(f) || oneOr(f, (c) => data.groupOf[c], groupName),
  },
  ...dimensionColumns(joined, (f, each) => oneOr(f, (c) => each.of[c], (c) => each.values[each.of[c]])),
  { id: "message", label: "What was found", least: 16, grow: 3.2, text: message, shown: briefly, key: messageKey, ...drawMessage },
  { id: "rule", label: "Rule", least: 9, grow: 1, text: (f) => ruleOf(f).id, key: (f) => data.rule[f], hint: (f) => ruleOf(f).title },
  ...(COMPARED ? [["before", "Before"], ["after", "After"]].map(([id, label]) => ({
    id, label, least: 6, grow: 0, text: (f) => checkedAs(data[id][f]),
  })) : []),
  ...(data.since ? [{
    id: "since", label: "Open", least: 4.5, grow: 0, text: age, hint: openWords,
    rank: () => (f) => -daysOpen(openSince(f)) || 0,
  }] : []),
  { id: "field", label: "Field", least: 8, grow: 0.8, text: field },
  { id: "expected", label: "Expected", least: 9, grow: 1, text: expected },
  { id: "actual", label: "Actual", least: 7, grow: 1, text: actual },
  ...(data.terraform ? [
    { id: "address", label: "Resource", least: 12, grow: 1.2, text: inPlan(0) },
    { id: "action", label: "Action", least: 5.5, grow: 0, text: inPlan(1) },
    { id: "attribute", label: "Attribute", least: 12, grow: 1.2, text: inPlan(2) },
    { id: "before", label: "Before", least: 6, grow: 0.6, text: inPlan(3) },
    { id: "after", label: "After", least: 6, grow: 0.6, text: inPlan(4) },
    { id: "written", label: "Line", least: 8, grow: 0.6, text: inPlan(5) },
  ] : []),
  { id: "id", label: "Connection id", least: 8, grow: 0.8, text: (f) => joined(f, (c) => data.ids[c]) },
  ...(NAMED_GROUPS ? [{ id: "group_id", label: "Group id", least: 8, grow: 0.8, text: (f) => joined(f, groupId) }] : []),
  { id: "owner", label: "Owner", least: 7, grow: 0.6, text: (f) => owners(ruleOf(f)), key: (f) => data.rule[f] },
  { id: "fix", label: "Fix", least: 12, grow: 1.4, text: (f) => fixOf(f) },
  { id: "note", label: "Note", least: 10, grow: 1.2, text: note },
  { id: "policy", label: "Policy line", least: 10, grow: 1, text: (f) => ruleOf(f).position },
];
const tally = (label, heading) => ({
  id: label, label: heading, least: 4.5, grow: 0, text: (c) => number(tallies()[VERDICTS.indexOf(label)][c]),
  rank: () => (c) => tallies()[VERDICTS.indexOf(label)][c],
});
const CONNECTION_COLUMNS = [
  {
    id: "verdict", label: "Verdict", least: 6.25, grow: 0, text: (c) => ruleVerdict(c),
    rank: () => (c) => verdictsOfRule(ruleNumber.get(state.rule))[c], prepare: drawVerdict.prepare,
    fill: (cell, c) => drawVerdict.fill(cell, ruleVerdict(c)),
  },
  { id: "connection", label: "Connection", least: 9, grow: 1.5, text: (c) => data.schemas[c] },
  { id: "service", label: "Service", least: 6.5, grow: 0.8, text: serviceName },
  { id: "group", label: "Group", least: 6.5, grow: 0.9, text: groupName, hint: NAMED_GROUPS ? groupId : undefined },
  ...dimensionColumns((c, textOf) => textOf(c), (c, each) => each.of[c]),
  { id: "id", label: "Connection id", least: 8, grow: 0.8, text: (c) => data.ids[c] },
  ...(NAMED_GROUPS ? [{ id: "group_id", label: "Group id", least: 8, grow: 0.8, text: groupId }] : []),
  tally("fail", "Failed"), tally("error", "Errors"), tally("waived", "Waived"), tally("known", "Known"),
  tally("pass", "Passed"), tally("skip", "Skipped"),
];
const FIRST_COLUMNS = {
  // A verdict that all findings share says nothing.
  findings: [
    ...(COMPARED ? ["verdict", "severity"] : ["severity", ...(new Set(data.verdict).size > 1 ? ["verdict"] : [])]), "connection",
    ...ASKED, "message", "rule", ...(data.since ? ["since"] : []),
  ],
  connections: ["connection", "service", "group", ...ASKED, "fail", "error", "pass", "skip"],
};
