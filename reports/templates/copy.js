// Text for an issue tracker or a waiver file: made here, shown, and copied.

// Markdown that stays text, whatever a name holds; one line.
const mdText = (text) => text.replace(/\s+/g, " ").replace(/[\\`*_{}[\]()#+!|~]/g, "\\$&")
  .replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("@", "&#64;");
// Inline code: its fence is longer than any in the text.
function mdCode(text) {
  const line = text.replace(/\s+/g, " ");
  const fence = "`".repeat(1 + Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length)));
  const space = /^`|`$/.test(line) ? " " : "";
  return `${fence}${space}${line}${space}${fence}`;
}
const mdCell = (text) => mdCode(text).replaceAll("|", "\\|");

const MOST_TOLD = 20;

function address() {
  const run = document.querySelector(".identity a")?.href ?? "";
  // Others cannot open a page on someone's disk.
  return /^https?:/.test(location.protocol) ? location.href : run;
}

// An issue about findings of one rule: what, where, evidence, fix, link.
function issueText(findings) {
  const rule = ruleOf(findings[0]);
  const single = findings.length === 1 && connectionsOf(findings[0]).length === 1;
  const where = single ? `: ${mdText(data.schemas[connectionsOf(findings[0])[0]])}` : "";
  const lines = [`## ${mdText(claimed(VERDICTS[verdictOf[findings[0]]], rule))}${where}`, ""];
  lines.push(`Rule ${mdCode(rule.id)}, severity ${SEVERITIES[rule.severity]}, expects: ${mdText(rule.expects)}`, "");
  for (const f of findings.slice(0, MOST_TOLD)) {
    const since = openDay(f) ? `, open since ${openDay(f)}` : "";
    lines.push(`- ${mdText(message(f))}${since}`);
    for (const c of connectionsOf(f).slice(0, MOST_TOLD)) {
      const link = dashboardLink(c, rule.page);
      lines.push(`  - connection ${mdCode(data.schemas[c])} (${mdCode(data.ids[c])}), service ${mdCode(serviceName(c))}, group ${mdCode(groupName(c))}${link ? `, [open in Fivetran](${link.href})` : ""}`);
    }
    const left = connectionsOf(f).length - MOST_TOLD;
    if (left > 0) lines.push(`  - and ${number(left)} more`);
  }
  if (findings.length > MOST_TOLD) lines.push(`- and ${number(findings.length - MOST_TOLD)} more`);
  const seen = findings.length === 1 ? evidenceOf(findings[0]) : [];
  if (seen.length) {
    lines.push("", "| Field | Expected | Actual |", "|---|---|---|", ...seen.map((e) =>
      `| ${mdCell(data.fields[data.fieldOf[e]])} | ${mdCell(data.expected[data.expectedOf[e]])} | ${mdCell(data.actual[e])} |`));
  }
  const fix = fixOf(findings[0]);
  if (fix) lines.push("", `**Fix:** ${mdText(fix)}`);
  if (rule.why) lines.push("", `**Why:** ${mdText(rule.why)}`);
  if (rule.docs) lines.push("", `[More about the rule](${rule.docs})`);
  lines.push("", `Judged as of ${JUDGED_AT.toISOString().slice(0, 16).replace("T", " ")} UTC by ${mdCode(rule.position)}`);
  if (address()) lines.push("", `<${address()}>`);
  return `${lines.join("\n")}\n`;
}

// JSON strings are YAML too, except for what would end a line there.
const yamlText = (text) => JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029\ufeff]/g, (each) =>
  `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`);
// In a waiver an id is literal, while a text may be a glob.
const waiverId = (id) => yamlText(id.replace(/[*?[]/g, "[$&]"));

// An entry for a waiver file. It says no more than was found, and does not load until completed.
function waiverText(findings) {
  const rule = ruleOf(findings[0]);
  const places = [...new Set(findings.flatMap(connectionsOf))];
  const ids = places.map((c) => waiverId(data.ids[c]));
  const which = ids.length ? `{id: ${ids.length === 1 ? ids[0] : `[${ids.join(", ")}]`}}` : "all";
  const names = places.slice(0, MOST_TOLD).map((c) => yamlText(data.schemas[c]).slice(1, -1)).join(", ");
  return [
    `  - rule: ${rule.id}`,
    `    connections: ${which}${names ? `  # ${names}` : ""}`,
    "    reason:   # why this is accepted",
    `    owner: ${ownersOf(rule).length ? yamlText(ownersOf(rule)[0]) : "  # who answers for it"}`,
    "    expires:   # the last day it holds, as 2027-06-30",
    "",
  ].join("\n");
}

// The command that explains why: the rule's conditions as a tree, with each part's result.
const shellText = (text) => (/^[\w./:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
const whyCommand = ([f]) => {
  const { id, position } = ruleOf(f);
  const file = position.replace(/(:\d+)+$/, "");
  const policy = file.startsWith("pack:") ? file.slice(5) : /^\.{0,2}\//.test(file) ? file : `./${file}`;
  const connection = data.ids[connectionsOf(f)[0]];
  // The run's own policies, if it knows them: what extends a rule's file may set its variables.
  const policies = data.again.includes("-p") ? [] : ["-p", policy];
  const words = [...policies, ...data.again, ...(connection.startsWith("-") ? ["--"] : []), id, connection];
  return `fivetran-auditor explain ${words.map(shellText).join(" ")}\n`;
};

// Copies if the page may, and always shows the text: it can be copied by hand.
async function handOver(place, name, text) {
  const area = el("textarea", { readonly: true, rows: Math.min(14, text.split("\n").length), "aria-label": name });
  area.value = text;
  const said = el("p", { class: "hint", role: "status" });
  place.replaceChildren(said, area);
  area.focus();
  area.select();
  let done = false;
  try {
    await navigator.clipboard.writeText(text);
    done = true;
  } catch {
    done = document.execCommand("copy");
  }
  said.textContent = done ? `${name}: copied.` : `${name}: press Ctrl+C to copy.`;
}

// Buttons for the findings that `open` returns; a waiver is for what failed, a command for one.
function copyButtons(open, failed, explained = false) {
  const place = el("div", { class: "copied" });
  const button = (text, make, which) => {
    const made = el("button", { type: "button", class: "quiet" }, text);
    made.addEventListener("click", () => handOver(place, text.replace(/^Copy (as|the) /, "").replace(/^./, (c) => c.toUpperCase()), make(open().filter(which))));
    return made;
  };
  return el("div", { class: "acts" },
    button("Copy as issue", issueText, () => true),
    failed ? button("Copy as waiver", waiverText, violated) : "",
    explained ? button("Copy the command that explains why", whyCommand, () => true) : "", place);
}

function addToCards() {
  for (const card of document.querySelectorAll(".todo[data-rule]")) {
    const rule = ruleNumber.get(card.dataset.rule);
    const open = () => Array.from({ length: findingCount }, (_, f) => f).filter((f) => data.rule[f] === rule && unsettled(f));
    card.querySelector(".todo-text").append(copyButtons(open, data.rules[rule].counts[1] > 0));
  }
}
