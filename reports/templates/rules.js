// The table of rules: sorts by any column, folds rules without findings, finds a rule by its words.

const FOLDED_FROM = 20;
const UNORDERED = "none";

function startRules() {
  const rules = document.querySelector("table.rules");
  if (!rules) return;
  const body = rules.tBodies[0];
  const rows = [...body.rows];
  const original = new Map(rows.map((row, at) => [row, at]));
  const severityAt = (row) => SEVERITIES.indexOf(row.cells[1].textContent.trim());
  // Severities by rank, counts as numbers, the rest as words.
  const key = (row, at) => {
    if (at === 1) return severityAt(row);
    const text = row.cells[at].textContent.trim();
    return at > 2 ? Number(row.cells[at].dataset.count) : text.toLowerCase();
  };
  const headings = [...rules.tHead.rows[0].cells];
  headings.forEach((heading, at) => {
    const button = el("button", { type: "button", class: "sort" }, heading.textContent, el("span", { class: "arrow", "aria-hidden": "true" }));
    heading.setAttribute("aria-sort", UNORDERED);
    heading.replaceChildren(button);
    button.addEventListener("click", () => {
      // Counts and severities sort descending first, words ascending; a third click undoes it.
      const first = at === 1 || at > 2 ? "descending" : "ascending";
      const second = first === "descending" ? "ascending" : "descending";
      const next = { [UNORDERED]: first, [first]: second, [second]: UNORDERED }[heading.getAttribute("aria-sort")];
      for (const each of headings) {
        each.setAttribute("aria-sort", each === heading ? next : UNORDERED);
        each.querySelector(".arrow").textContent = each !== heading || next === UNORDERED ? "" : next === "ascending" ? "↑" : "↓";
      }
      const sign = next === "descending" ? -1 : 1;
      const order = next === UNORDERED ? (a, b) => original.get(a) - original.get(b) : (a, b) => {
        const [x, y] = [key(a, at), key(b, at)];
        return (x < y ? -sign : x > y ? sign : 0) || original.get(a) - original.get(b);
      };
      body.append(...rows.sort(order));
    });
  });
  if (rows.length <= FOLDED_FROM) return;
  // Rules that failed, were not evaluable or were accepted are always shown; the rest on request.
  const quiet = (row) => [3, 4, 5, 6].every((at) => row.cells[at].dataset.count === "0");
  const passed = (row) => row.cells[8].dataset.count !== "0";
  const words = rows.map((row) => row.textContent.toLowerCase());
  const texts = new Map(rows.map((row, at) => [row, words[at]]));
  // Of a rule that judged nothing, nothing may be read as a pass.
  const folded = rows.filter(quiet);
  const idle = folded.filter((row) => !passed(row)).length;
  const others = !folded.length ? "" : !idle ? "; the others found nothing" : idle === folded.length
    ? "; the others applied to nothing" : `; of the others, ${number(folded.length - idle)} found nothing and ${number(idle)} applied to nothing`;
  let all = false;
  const search = el("input", { type: "search", placeholder: `Find in ${plural(rows.length, "rule")}`, "aria-label": "Find a rule", autocomplete: "off", spellcheck: "false" });
  const toggle = el("button", { type: "button", class: "quiet" });
  const said = el("p", { class: "hint", role: "status", id: "rules-status" });
  const draw = () => {
    const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      row.hidden = wanted.length ? !wanted.every((word) => texts.get(row).includes(word)) : !all && quiet(row);
      shown += !row.hidden;
    }
    toggle.textContent = all ? "Show only rules with findings" : `Show all ${number(rows.length)} rules`;
    toggle.hidden = wanted.length > 0;
    said.textContent = `${number(shown)} of ${plural(rows.length, "rule")}${wanted.length || all ? "" : others}`;
  };
  search.addEventListener("input", draw);
  toggle.addEventListener("click", () => {
    all = !all;
    draw();
  });
  // Paper leaves nothing out.
  addEventListener("beforeprint", () => { for (const row of rows) row.hidden = false; });
  addEventListener("afterprint", draw);
  rules.closest(".scroll-x").before(el("div", { class: "toolbar rules-bar" }, search, toggle, said));
  draw();
}
