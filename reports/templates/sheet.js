// The sheet that opens beside the table: one finding, one connection or one rule, in full.

const sheet = document.getElementById("sheet");

const link = (state, text) => el("a", { href: fragment({ ...DEFAULTS, ...state }) }, text);
const connectionLink = (c) => link({ connection: data.ids[c] }, data.schemas[c] || data.ids[c]);
const ruleLink = (rule) => link({ about: rule.id }, rule.title || rule.id);
// A check's result before its rule's demand, so that the demand does not read as the fact.
const CAME_TO = { fail: "Violated", error: "Not judged", waived: "Waived", known: "Known", pass: "", skip: "" };
const claimed = (label, rule) => [CAME_TO[label] ?? capital(label ?? ""), rule.title || rule.id].filter(Boolean).join(": ");
const groupLink = (c) => link({ within: groupName(c) }, groupName(c));

function facts(pairs) {
  const list = el("dl", { class: "facts-list" });
  for (const [name, ...values] of pairs) {
    if (values.some((value) => value !== "" && value !== undefined)) {
      list.append(el("div", {}, el("dt", {}, name), el("dd", {}, ...values)));
    }
  }
  return list;
}

const part = (title, ...content) => el("section", { class: "part" }, el("h3", {}, title), ...content);
const owners = (rule) => ownersOf(rule).join(", ");
// Words that filter, one after the other; as plain text where nothing else would be left out.
const filters = (name, texts) => texts.map((text, at) => el("span", {}, at ? ", " : "", facetOf.has(name) ? link({ [name]: listed([text]) }, text) : text));

function ruleFacts(rule) {
  return facts([
    ["Rule", el("a", { href: fragment({ ...DEFAULTS, about: rule.id }) }, el("code", {}, rule.id))],
    ["Expects", rule.expects],
    ["Applies when", rule.appliesWhen],
    ["Judged per", rule.per.join(", ")],
    ["Owner", ...filters("owner", ownersOf(rule))],
    ["Tags", ...filters("tag", tagsOf(rule))],
    ["Controls", rule.controls.map(([name, ids]) => `${name}: ${ids.join(", ")}`).join("; ")],
    ["Policy", `${rule.policy}, `, el("code", {}, rule.position)],
    ["Page", rule.docs && el("a", { href: rule.docs, rel: "noreferrer" }, "What it asks, why, and how to fix it")],
  ]);
}

// The connection's page at Fivetran; other APIs have no such page.
function dashboardLink(c, page) {
  if (!data.dashboard || !/^[A-Za-z0-9_-]+$/.test(data.ids[c])) return "";
  const href = `${data.dashboard}${data.ids[c]}/${page}`;
  return el("a", { href, rel: "noreferrer" }, "Open in Fivetran");
}

function connectionFacts(c, page = "status", { among = () => [], more = [] } = {}) {
  return facts([
    ["Connection", connectionLink(c)], ["Id", el("code", {}, data.ids[c])],
    ["Service", serviceName(c), ...among("service", serviceName(c))], ["Group", groupLink(c), ...among("group", groupName(c))],
    ...data.dimensions.map((each) => [each.name, each.values[each.of[c]], ...among(`in.${each.name}`, each.values[each.of[c]])]).filter(([, text]) => text),
    ...more,
    ...[dashboardLink(c, page)].filter(Boolean).map((link) => ["Fivetran", link]),
  ]);
}

let toDo;

// How much there is to do under one text of a facet, as a link to it; nothing where all share it.
function among(name, text) {
  const facet = facetOf.get(name);
  if (!facet || !text) return [];
  toDo ??= new Work(matchFindings({ ...DEFAULTS, [JUDGED.name]: OPEN })).run();
  const count = liveCounts(facet, toDo)[facet.texts.indexOf(text)] ?? 0;
  return [" ", count ? link({ [name]: listed([text]), [JUDGED.name]: OPEN }, plural(count, `open ${ROW}`)) : el("small", {}, `no open ${ROW}`)];
}

const planFacts = (row) => facts(
  ["Resource", "Action", "Attribute", "Before", "After", "Line"].map((name, n) => [name, row[n]]).filter(([, text]) => text),
);

function table(className, headings, rows) {
  return el(
    "table", { class: className },
    el("thead", {}, el("tr", {}, ...headings.map((text) => el("th", { scope: "col" }, text)))),
    el("tbody", {}, ...rows.map((cells) => el("tr", {}, ...cells.map((cell) => el("td", {}, cell))))),
  );
}

// A rule's fix does not help an undecided check: that has advice of its own.
const fixOf = (f) => VERDICTS[verdictOf[f]] === "error" ? data.advices[data.advice[f]] ?? "" : ruleOf(f).fix;

// A rule's texts for people; a policy may leave any of them out.
const advice = (rule, fix) => [
  fix ? part("How to fix it", el("p", { class: "fix" }, fix)) : "",
  rule.why ? part("Why it matters", el("p", {}, rule.why)) : "",
];

const MOST_LISTED = 50;
const FROM_WORST = data.words ?? ["fail", "error", "waived", "known", "pass", "skip"];

// "Open since 2026-03-02 08:00 UTC, 12 days before this run."
function openWords(f) {
  const since = openSince(f);
  if (!since) return "";
  const days = Math.floor(daysOpen(since));
  const age = days > 0 ? `, ${plural(days, "day")} before this run` : "";
  return `Open since ${since.slice(0, 10)} ${since.slice(11, 16)} UTC${age}`;
}

function findingSheet(f) {
  const rule = ruleOf(f);
  const connections = connectionsOf(f);
  const evidence = evidenceOf(f).map((e) =>
    [el("code", {}, data.fields[data.fieldOf[e]]), data.expected[data.expectedOf[e]], data.actual[e]]);
  const more = connections.length - MOST_LISTED;
  return {
    title: claimed(VERDICTS[verdictOf[f]], rule),
    badges: [verdictBadge(VERDICTS[verdictOf[f]]), severityBadge(SEVERITIES[rule.severity])],
    content: [
      el("p", { class: "message" }, message(f)),
      openWords(f) ? el("p", { class: "since" }, openWords(f)) : "",
      COMPARED ? el("p", { class: "note" }, `${capital(VERDICTS[verdictOf[f]])}: ${data.meanings[VERDICTS[verdictOf[f]]]}. Before: ${checkedAs(data.before[f])}; after: ${checkedAs(data.after[f])}.`) : "",
      note(f) ? el("p", { class: "note" }, note(f)) : "",
      connections.length === 1 ? el("p", {}, dashboardLink(connections[0], rule.page)) : "",
      evidence.length ? table("evidence", ["Field", "Expected", "Actual"], evidence) : "",
      reasonPart(f),
      planned(f).length ? part("In Terraform", ...planned(f).slice(0, MOST_LISTED).map(planFacts)) : "",
      ...advice(rule, fixOf(f)),
      part(
        connections.length === 1 ? "Connection" : plural(connections.length, "connection"),
        groupKey(f) ? facts([["Group judged", judgedGroup(f)], ...(judgedGroup(f) === groupKey(f) ? [] : [["Its id", el("code", {}, groupKey(f))]])]) : "",
        ...connections.slice(0, MOST_LISTED).map((c) => connectionFacts(c, rule.page)),
        more > 0 ? el("p", {}, `and ${number(more)} more`) : "",
      ),
      part("Rule", ruleFacts(rule)),
      part("Share it", copyButtons(() => [f], violated(f), connections.length > 0)),
    ],
  };
}

// Every check on a connection, including those that passed.
function connectionSheet(c) {
  const findings = new Map();
  for (let f = 0; f < findingCount; f++) {
    const at = data.connection[f];
    if (at === c || (typeof at !== "number" && at.includes(c))) findings.set(data.rule[f], f);
  }
  // For a rule on groups, its finding about the connection counts.
  const verdict = (rule, r) => rule.per.length ? (findings.has(r) ? verdictOf[findings.get(r)] : UNKNOWN) : verdictAt(r, c);
  const order = Object.fromEntries(FROM_WORST.map((label, at) => [label, at]));
  const checks = data.rules.map((rule, r) => ({ rule, r, label: VERDICTS[verdict(rule, r)] }))
    .sort((a, b) => (order[a.label] ?? 9) - (order[b.label] ?? 9) || b.rule.severity - a.rule.severity);
  const why = ({ rule, r, label }) => {
    if (findings.has(r)) {
      const f = findings.get(r);
      const more = [openWords(f), capital(note(f))].filter(Boolean).join(". ");
      return [link({ finding: findingId(f) }, message(f)), more ? el("small", {}, more) : ""];
    }
    if (label === "skip") return rule.skip;
    return label ? rule.expects : `judged per ${rule.per.join(", ")}; nothing found that names this connection`;
  };
  const rows = checks.map((check) => [
    check.label ? el("div", {}, verdictBadge(check.label), OPEN_WORDS.includes(check.label) ? severityBadge(SEVERITIES[check.rule.severity]) : "") : "in a group",
    el("div", {}, link({ about: check.rule.id }, claimed(check.label, check.rule)), el("small", {}, ...[why(check)].flat())),
  ]);
  const here = [...findings.values()];
  const open = here.filter(unsettled);
  const owned = [...new Set(open.flatMap((f) => ownersOf(ruleOf(f))))];
  return {
    title: data.schemas[c] || data.ids[c],
    badges: [],
    content: [
      connectionFacts(c, "status", { among, more: [
        ["Owner", ...owned.map((owner) => el("div", {}, `${owner}: ${plural(open.filter((f) => ownersOf(ruleOf(f)).includes(owner)).length, "rule")} here,`, ...among("owner", owner)))],
        ["To do here", open.length ? link({ q: `id:"${data.ids[c]}"`, [JUDGED.name]: OPEN }, plural(open.length, `open ${ROW}`)) : "nothing"],
      ] }),
      changedPart(c, here),
      part(plural(rows.length, "check"), table("checks", ["Verdict", "Rule"], rows)),
    ],
  };
}

// What became of a connection since the baseline or the run before: new, fixed, no longer judged.
function changedPart(c, findings) {
  const title = document.querySelector(".since-title")?.firstChild.data.trim();
  if (!title) return "";
  const rows = [
    ...findings.filter((f) => freshOf[f]).map((f) => ["new", el("div", {}, link({ finding: findingId(f) }, claimed(VERDICTS[verdictOf[f]], ruleOf(f))))]),
    ...data.ended.filter(([, at]) => at === c).map(([rule, , since]) => ["fixed", el("div", {}, ruleLink(data.rules[rule]), since ? el("small", {}, `was open since ${since.slice(0, 10)}`) : "")]),
    ...data.unjudged.filter(([, at]) => at === c).map(([rule]) => ["no longer judged", el("div", {}, ruleNumber.has(rule) ? ruleLink(data.rules[ruleNumber.get(rule)]) : el("code", {}, rule), el("small", {}, "found before; whether it is fixed is not known"))]),
  ];
  const same = findings.filter((f) => (violated(f) || VERDICTS[verdictOf[f]] === "known") && !freshOf[f]).length;
  return part(title, rows.length ? table("checks", ["Change", "Rule"], rows) : el("p", {}, "Nothing new, nothing fixed."),
    same ? el("p", { class: "hint" }, `${plural(same, "violation")} ${same === 1 ? "is" : "are"} as before.`) : "");
}

// What was found earlier, and no longer is, on the connections that `fits` accepts.
function fixedPart(fits) {
  const ended = (data.ended ?? []).filter(([, c]) => fits(c));
  const more = ended.length - MOST_LISTED;
  const title = document.getElementById("ended-title")?.textContent ?? "Fixed";
  return ended.length ? part(title, table("checks even", ["Connection", "Rule"], ended.slice(0, MOST_LISTED).map(
    ([rule, c, since]) => [connectionLink(c), el("div", {}, ruleLink(data.rules[rule]), since ? el("small", {}, `was open since ${since.slice(0, 10)}`) : "")],
  )), more > 0 ? el("p", {}, `and ${number(more)} more`) : "") : "";
}

// A group: its connections, the rules with findings on them, the checks on it as a whole.
function groupSheet(g) {
  const name = data.groups[g];
  const members = [];
  data.groupOf.forEach((group, c) => { if (group === g) members.push(c); });
  const inGroup = (c) => data.groupOf[c] === g;
  const words = new Uint32Array(VERDICTS.length);
  const perRule = new Uint32Array(data.rules.length);
  const cameTo = [];
  const worst = new Uint32Array(connectionCount);
  let [oldest, fresh, touched] = ["", 0, 0];
  for (let f = 0; f < findingCount; f++) {
    const at = data.connection[f];
    if (typeof at === "number" ? !inGroup(at) : !groupsOf(f).includes(g)) continue;
    words[verdictOf[f]]++;
    if (!unsettled(f)) continue;
    perRule[data.rule[f]]++;
    const label = VERDICTS[verdictOf[f]];
    if (FROM_WORST.indexOf(label) < (cameTo[data.rule[f]] ?? FROM_WORST.length)) cameTo[data.rule[f]] = FROM_WORST.indexOf(label);
    for (const c of asList(at)) if (inGroup(c) && !worst[c]++) touched++;
    fresh += freshOf[f];
    const since = openSince(f);
    if (since && (!oldest || since < oldest)) oldest = since;
  }
  const rules = new Map([...perRule.entries()].filter(([, count]) => count));
  const owned = new Map();
  for (const [rule, count] of rules) for (const owner of ownersOf(data.rules[rule])) owned.set(owner, (owned.get(owner) ?? 0) + count);
  const byOwner = [...owned].sort((a, b) => b[1] - a[1]);
  const services = mostFirst(countBy(members.length, (at) => [serviceName(members[at])]));
  const key = data.groupIds[g];
  const whole = data.groupChecks.flatMap((checks, r) => checks
    .filter(([text]) => data.rules[r].per.includes("group_id") && (text === key || text.startsWith(`${key}, `)))
    .map(([text, verdict]) => [verdictBadge(CHECKED[verdict]), el("div", {}, link({ about: data.rules[r].id }, claimed(CHECKED[verdict], data.rules[r])), text === key ? "" : el("small", {}, keyInWords(text, data.rules[r].per)))]));
  const order = [...members].sort((a, b) => worst[b] - worst[a] || a - b);
  const more = order.length - MOST_LISTED;
  const show = (state) => ({ ...state, group: listed([name]) });
  return {
    title: name,
    badges: [],
    content: [
      facts([
        ["Group", el("code", {}, key)],
        ["Connections", number(members.length)],
        ["Services", services.map(([service, count]) => `${service} ${number(count)}`).join(", ")],
        ["Open", touched ? `${plural(touched, "connection")} with something to do` : ""],
        ["New", data.fresh ? (fresh ? link(show({ is: "new" }), number(fresh)) : "0") : ""],
        ["Oldest", oldest && `open since ${oldest.slice(0, 10)}`],
        ["Owners", ...byOwner.map(([owner, count], at) => el("span", {}, at ? ", " : "", link(show({ owner: listed([owner]), [JUDGED.name]: OPEN }), `${owner} ${number(count)}`)))],
      ]),
      words.some(Boolean) ? el("ul", { class: "legend" }, ...FROM_WORST.filter((word) => words[VERDICTS.indexOf(word)]).map((word) =>
        el("li", {}, verdictBadge(word), " ", el("b", {}, number(words[VERDICTS.indexOf(word)]))))) : "",
      part("Rules with something to do", rules.size ? table("checks", ["Severity", "Rule"], [...rules].sort(
        (a, b) => data.rules[b[0]].severity - data.rules[a[0]].severity || b[1] - a[1],
      ).map(([rule, count]) => [severityBadge(SEVERITIES[data.rules[rule].severity]), el("div", {}, link({ about: data.rules[rule].id }, claimed(FROM_WORST[cameTo[rule]], data.rules[rule])), el("small", {}, link(
        show({ rule: data.rules[rule].id, [JUDGED.name]: OPEN }), plural(count, ROW),
      )))])) : el("p", {}, "None.")),
      whole.length ? part("Checks of the group as a whole", table("checks", ["Verdict", "Rule"], whole.slice(0, MOST_LISTED)),
        whole.length > MOST_LISTED ? el("p", {}, `and ${number(whole.length - MOST_LISTED)} more`) : "") : "",
      fixedPart(inGroup),
      part(
        plural(members.length, "connection"),
        table("checks", ["To do", "Connection"], order.slice(0, MOST_LISTED).map((c) => [
          number(worst[c]), el("div", {}, connectionLink(c), el("small", {}, serviceName(c))),
        ])),
        more > 0 ? el("p", {}, `and ${number(more)} more`) : "",
        el("p", { class: "links" }, link(show({}), `Show its ${ROW}s`), " ", COMPARED ? "" : link(show({ show: "connections" }), "Show its connections")),
      ),
    ],
  };
}

// Every change that is about a connection.
function changesSheet(c) {
  const rows = [];
  for (let f = 0; f < findingCount; f++) {
    if (!anyOf(data.connection[f], { [c]: 1 })) continue;
    rows.push([verdictBadge(VERDICTS[verdictOf[f]]), el("div", {}, link({ about: ruleOf(f).id }, claimed(VERDICTS[verdictOf[f]], ruleOf(f))), el("small", {}, link({ finding: findingId(f) }, message(f))))]);
  }
  return {
    title: data.schemas[c] || data.ids[c],
    badges: [],
    content: [connectionFacts(c), part(plural(rows.length, "change"), table("checks", ["Change", "Rule"], rows))],
  };
}

function ruleSheet(rule) {
  const r = ruleNumber.get(rule.id);
  const counts = FROM_WORST.map((label) => [label, rule.counts[VERDICTS.indexOf(label)]]).filter(([, count]) => count);
  const groups = data.groupChecks[r].map(([key, verdict]) => [verdictBadge(VERDICTS[verdict]), keyInWords(key, rule.per)]);
  const more = groups.length - MOST_LISTED;
  const findings = counts.some(([label]) => label !== "pass" && label !== "skip");
  return {
    title: rule.title || rule.id,
    badges: [severityBadge(SEVERITIES[rule.severity])],
    content: [
      ruleFacts(rule),
      part(
        COMPARED ? "Changes" : "Checks",
        counts.length ? el("ul", { class: "legend" }, ...counts.map(([label, count]) =>
          el("li", {}, verdictBadge(label), " ", el("b", {}, number(count))))) : el("p", {}, "None."),
        el("p", { class: "links" },
          findings ? link({ rule: rule.id }, `Show its ${ROW}s`) : "", " ",
          rule.per.length || COMPARED ? "" : link({ show: "connections", rule: rule.id }, "Show every connection it judged")),
      ),
      groups.length ? part(
        "Groups", table("checks", ["Verdict", "Group"], groups.slice(0, MOST_LISTED)),
        more > 0 ? el("p", {}, `and ${number(more)} more`) : "",
      ) : "",
      ...advice(rule, rule.fix),
    ],
  };
}

// What the state says is open, or null.
function sheetFor(state) {
  if (state.finding) {
    const finding = findFinding(state.finding);
    return finding < 0 ? missing(ROW, state.finding) : { ...findingSheet(finding), finding };
  }
  if (state.connection) {
    const connection = data.ids.indexOf(state.connection);
    return connection < 0 ? missing("connection", state.connection) : (COMPARED ? changesSheet : connectionSheet)(connection);
  }
  if (state.within) {
    const group = data.groups.indexOf(state.within);
    return group < 0 ? missing("group", state.within) : groupSheet(group);
  }
  if (state.about) {
    const rule = data.rules[ruleNumber.get(state.about)];
    return rule ? ruleSheet(rule) : missing("rule", state.about);
  }
  return null;
}

const missing = (kind, id) => ({
  title: `No such ${kind}`, badges: [],
  content: [el("p", {}, COMPARED ? `This comparison has no ${kind} “${id}”: nothing about it changed, and it was not a finding.`
    : `This report has no ${kind} “${id}”. It may have been fixed, or left out of this run.`)],
});

// `at` is the finding's position among the `of` selected ones, -1 if it is not selected.
function openSheet(state, { onClose, onStep, at, of }) {
  const shown = sheetFor(state);
  if (!shown) {
    if (sheet.open) sheet.close();
    return;
  }
  const close = el("button", { type: "button", class: "quiet", "data-close": true }, "Close");
  close.addEventListener("click", onClose);
  const steps = at < 0 ? [] : [["Previous", -1], ["Next", 1]].map(([text, by]) => {
    const end = at + by < 0 || at + by >= of;
    const button = el("button", { type: "button", class: "quiet", "data-step": by, disabled: end }, text);
    button.addEventListener("click", () => onStep(by));
    return button;
  });
  if (steps.length) steps.unshift(el("span", { class: "hint", role: "status" }, `${number(at + 1)} of ${number(of)}`));
  const focused = sheet.open ? document.activeElement?.dataset.step : undefined;
  sheet.replaceChildren(el(
    "div", { class: "sheet" },
    el(
      "header", { class: "sheet-bar" }, el("div", { class: "badges" }, ...shown.badges),
      link(Object.fromEntries(SHEETS.map((name) => [name, state[name]])), "Link to this"), ...steps, close,
    ),
    el("div", { class: "sheet-body" }, el("h2", { id: "sheet-title", tabindex: "-1" }, shown.title), ...shown.content),
  ));
  if (!sheet.open) sheet.showModal();
  sheet.scrollTop = 0;
  (sheet.querySelector(focused ? `[data-step="${focused}"]:not(:disabled)` : "#sheet-title") ?? sheet.querySelector("#sheet-title")).focus();
}
