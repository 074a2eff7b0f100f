// Why a finding got its verdict: its rule's condition as a tree, each part with its result
// and the value (auditor/reports/page/reasons.py).

const TRUTHS = { t: "holds", f: "fails", u: "cannot be judged", n: "not evaluated", c: "chooses members" };
const BRANCHES = { when: "Applies when", assert: "Expects", groups: "Groups", unless: "Unless" };
const IDENTITIES = { id: data.ids, schema: data.schemas };
const [OF_EVIDENCE, OF_CONNECTION, NO_TEXT, NOT_KEPT] = [-1, -2, -3, -4];

function identityOf(c, path) {
  if (path === "service") return serviceName(c);
  return path === "group_id" ? data.groupIds[data.groupOf[c]] : IDENTITIES[path][c];
}

// A line's value as text; undefined if the page does not keep it.
function heldIn(f, value, path) {
  if (value === NO_TEXT) return "";
  if (value === NOT_KEPT) return undefined;
  if (value === OF_CONNECTION) return identityOf(connectionsOf(f)[0], path);
  if (value >= 0) return data.reasonTexts[value];
  const found = evidenceOf(f).find((e) => data.fields[data.fieldOf[e]] === path);
  return found === undefined ? "" : data.actual[found];
}

// The form of a finding: letters, and a value for each line; undefined if it has none.
function formOf(f, lines, forms, of) {
  if (lines.length === 1 && !forms.length) {
    return evidenceOf(f).length ? [VERDICTS[verdictOf[f]] === "error" ? "u" : "f", OF_EVIDENCE] : undefined;
  }
  if (!of.length) return forms[0];
  let at = 0;
  for (let other = 0; other < f; other++) at += data.rule[other] === data.rule[f];
  return forms[of[at]];
}

function reasonPart(f) {
  const reason = data.reasons?.[data.rule[f]];
  if (!reason) return "";
  const [lines, forms, of] = reason;
  const form = formOf(f, lines, forms, of);
  const command = connectionsOf(f).length ? el("code", {}, whyCommand([f]).trim()) : "";
  const told = (text) => el("p", { class: "hint" }, text, command ? "; run: " : ".", command);
  if (!form) return part("How it was judged", told("This page does not keep how the finding was judged"));
  const [truths, ...values] = form;
  const texts = lines.map(([, , , path], n) => heldIn(f, values[n], path));
  const lists = [el("ul", { class: "reason" })];
  lines.forEach(([key, depth, text], n) => {
    const truth = truths[n];
    if (truth === "x") return;
    const item = el("li", {},
      key ? el("b", { class: "branch" }, BRANCHES[key] ?? key) : "",
      el("span", { class: "line" },
        truth === "v" ? "" : el("span", { class: `truth truth-${truth}` }, TRUTHS[truth]), " ",
        el("span", {}, truth === "v" ? `${text} is` : text), " ",
        texts[n] === "" ? "" : el("code", {}, texts[n] ?? "not kept")));
    lists.length = depth + 1;
    if (!lists[depth]) {
      lists[depth] = el("ul", {});
      lists[depth - 1].lastElementChild.append(lists[depth]);
    }
    lists[depth].append(item);
  });
  return part("How it was judged", lists[0], texts.includes(undefined) ? told("This page does not keep every value") : "");
}
