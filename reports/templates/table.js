// A table of any length: only the rows in view exist. It is a grid to assistive technology, keeps
// the focus itself and names the active row, so that rows can come and go beneath it.

// Makes an element. Text becomes text nodes; attributes are never styles or handlers.
function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== "" && child !== null && child !== undefined));
  return made;
}

function icon(name, size = 16) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [key, value] of Object.entries({
    class: "icon", width: size, height: size, "aria-hidden": "true", focusable: "false",
  })) svg.setAttribute(key, value);
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

const verdictBadge = (label) =>
  el("span", { class: `verdict v-${lookOf(label)}` }, icon(`v-${lookOf(label)}`), el("span", {}, label));
const severityBadge = (label) =>
  el("span", { class: `severity s-${label}` }, icon(`s-${label}`), el("span", {}, label));

// A bar of pieces, `share` of the full width; the text beside it says the same.
function stackedBar(pieces, share) {
  const total = pieces.reduce((sum, [, count]) => sum + count, 0);
  const bar = el("span", { class: "stack", "aria-hidden": "true" });
  const fill = el("span", {}, ...pieces.map(([look, count]) => {
    const piece = el("i", { class: `k-${lookOf(look)}` });
    piece.style.flexGrow = count / total;
    return piece;
  }));
  fill.style.width = `${Math.max(2, 100 * share)}%`;
  bar.append(fill);
  return bar;
}

const MORE_ROWS = 6;
// Browsers cut elements off somewhere above 16 million pixels; longer tables scroll faster.
const TALLEST = 8_000_000;

const PHONE = matchMedia("(max-width: 40rem)");

const NARROW = matchMedia("(max-width: 60rem)");

// The text, with matches of `pattern` marked.
function marked(text, pattern) {
  if (!pattern) return [text];
  return text.split(pattern).map((piece, at) => (at % 2 ? el("mark", {}, piece) : piece)).filter((piece) => piece !== "");
}

// Rows are numbers. One below zero is the head of a group: -1 of `heads[0]`, -2 of `heads[1]`.
class Table {
  constructor({ label, onOpen, onSort, onFold }) {
    Object.assign(this, {
      onSort, onOpen, onFold, rows: new Int32Array(0), columns: [], heads: [], active: 0, first: -1,
    });
    this.head = el("div", { class: "row head", role: "row", "aria-rowindex": "1" });
    this.body = el("div", { class: "rows", role: "rowgroup" });
    this.space = el("div", { class: "space", role: "presentation" }, this.body);
    this.root = el(
      "div", { class: "grid", role: "grid", tabindex: "0", "aria-label": label },
      el("div", { class: "head-group", role: "rowgroup" }, this.head), this.space,
    );
    this.root.addEventListener("scroll", () => this.draw(), { passive: true });
    this.root.addEventListener("keydown", (event) => this.press(event));
    this.body.addEventListener("click", (event) => this.click(event));
    this.body.addEventListener("mouseover", ({ target }) => {
      const cell = target.closest(".cell");
      if (!cell) return;
      // Cut text is shown in full on hover; the sheet has everything.
      const cut = [cell, ...cell.querySelectorAll("span")].some((each) =>
        each.scrollWidth > each.clientWidth + 1 && each.clientWidth || each.scrollHeight > each.clientHeight + 1 && each.clientHeight);
      cell.title = [cut ? cell.innerText : "", cell.hint ?? ""].filter(Boolean).join("\n");
    });
    this.root.addEventListener("focus", () => this.mark());
    new ResizeObserver(() => this.measure()).observe(this.root);
  }

  // `keep` leaves the view where it is; `pattern` is marked in the texts.
  // `rich` rows show more than their columns, `own` are columns that were chosen.
  show(columns, rows, sort, { heads = [], pattern = null, keep = false, own = false, rich = false } = {}) {
    const place = keep ? [this.active, this.root.scrollTop] : [0, 0];
    const sameColumns = columns.length === this.columns.length && columns.every((c, n) => c === this.columns[n]);
    Object.assign(this, { columns, rows, sort, heads, pattern, own, rich, active: place[0] });
    this.root.setAttribute("role", heads.length ? "treegrid" : "grid");
    if (!sameColumns) {
      this.body.replaceChildren();
      this.root.className = ["grid", ...columns.map(({ id }) => `with-${id}`)].join(" ");
      // Every row is a grid of its own: equal widths make them one table.
      const widths = columns.map(({ least, grow }) => (grow ? `minmax(${least}rem, ${grow}fr)` : `${least}rem`));
      const all = columns.reduce((sum, { least }) => sum + least + 1, 1);
      this.root.style.setProperty("--columns", widths.join(" "));
      this.root.style.setProperty("--least", `${all}rem`);
      this.root.setAttribute("aria-colcount", columns.length);
    }
    this.drawHead();
    this.root.setAttribute("aria-rowcount", rows.length + 1);
    if (!keep) this.root.scrollTop = 0;
    this.measure();
    if (keep) {
      this.root.scrollTop = place[1];
      this.draw();
    }
  }

  drawHead() {
    const focused = this.head.contains(document.activeElement) && document.activeElement.dataset.column;
    this.head.replaceChildren(...this.columns.map((column, at) => {
      const descending = this.sort === `-${column.id}`;
      const on = descending || this.sort === column.id;
      const button = el(
        "button", { type: "button", class: "sort", "data-column": column.id },
        column.label, el("span", { class: "arrow", "aria-hidden": "true" }, on ? (descending ? "↓" : "↑") : ""),
      );
      button.addEventListener("click", () =>
        this.onSort(on ? (descending ? "" : `-${column.id}`) : column.id));
      return el("div", {
        role: "columnheader", class: `cell c-${column.id}`, "aria-colindex": at + 1,
        "aria-sort": on ? (descending ? "descending" : "ascending") : "none",
      }, button);
    }));
    if (focused) this.head.querySelector(`[data-column="${focused}"]`)?.focus();
  }

  measure() {
    const style = getComputedStyle(this.root);
    // On a phone, chosen columns are stacked; the others form a card.
    const stacked = this.own && PHONE.matches;
    this.root.classList.toggle("stacked", stacked);
    this.root.classList.toggle("rich", this.rich && !stacked);
    this.root.classList.toggle("folded", this.heads.length > 0 && this.rows.length === this.heads.length);
    this.root.classList.toggle("cards", !this.own && (this.rich ? NARROW : PHONE).matches);
    if (stacked && this.heads.length !== this.rows.length) this.root.style.setProperty("--row-height", 24 * this.columns.length + 20);
    else this.root.style.removeProperty("--row-height");
    this.rowHeight = parseFloat(style.getPropertyValue("--row-height")) || 44;
    this.headHeight = this.head.offsetHeight;
    this.view = Math.max(this.root.clientHeight - this.headHeight, this.rowHeight);
    this.full = this.rows.length * this.rowHeight;
    this.height = Math.min(this.full, TALLEST);
    this.space.style.height = `${this.height}px`;
    this.first = -1;
    this.draw();
  }

  // Where the view is in the whole, which may be taller than the browser can scroll.
  get top() {
    const most = this.height - this.view;
    return most > 0 ? (this.root.scrollTop * (this.full - this.view)) / most : 0;
  }

  draw() {
    const top = this.top;
    const first = Math.max(0, Math.floor(top / this.rowHeight) - MORE_ROWS);
    const count = Math.min(this.rows.length - first, Math.ceil(this.view / this.rowHeight) + 2 * MORE_ROWS);
    this.body.style.transform = `translateY(${this.root.scrollTop + first * this.rowHeight - top}px)`;
    if (first === this.first && count === this.body.childElementCount) return;
    while (this.body.childElementCount > count) this.body.lastElementChild.remove();
    while (this.body.childElementCount < count) this.body.append(this.newRow());
    this.first = first;
    let at = first;
    for (const element of [...this.body.children]) this.fill(element, at++);
    this.mark();
  }

  newRow() {
    const cells = this.columns.map((column, at) => {
      const cell = el("div", { role: "gridcell", class: `cell c-${column.id}`, "aria-colindex": at + 1 });
      column.prepare?.(cell);
      return cell;
    });
    return el("div", { class: "row", role: "row" }, ...cells);
  }

  newHead() {
    return el("div", { class: "row group", role: "row", "aria-level": "1" },
      el("div", { role: "gridcell", class: "cell", "aria-colspan": this.columns.length }));
  }

  fillHead(element, head) {
    element.setAttribute("aria-expanded", String(head.open));
    element.firstElementChild.replaceChildren(
      el("span", { class: "twist", "aria-hidden": "true" }, head.open ? "▾" : "▸"),
      el("b", {}, ...marked(head.label, this.pattern)), el("span", { class: "n" }, number(head.size)),
      stackedBar(head.pieces, head.share),
      el("span", { class: "said" }, head.pieces.map(([look, count]) => `${number(count)} ${look}`).join(", ")),
    );
  }

  fill(given, at) {
    const row = this.rows[at];
    let element = given;
    if (element.classList.contains("group") !== row < 0) {
      element = row < 0 ? this.newHead() : this.newRow();
      given.replaceWith(element);
    }
    element.id = `row-${at}`;
    element.setAttribute("aria-rowindex", at + 2);
    if (row < 0) {
      this.fillHead(element, this.heads[-row - 1]);
      return;
    }
    if (this.heads.length) element.setAttribute("aria-level", "2");
    else element.removeAttribute("aria-level");
    this.columns.forEach((column, n) => {
      const cell = element.children[n];
      if (column.fill) column.fill(cell, row, this.pattern);
      else {
        const text = (column.shown ?? column.text)(row);
        if (cell.said !== text || cell.pattern !== this.pattern) {
          cell.replaceChildren(...marked(text, this.pattern));
          Object.assign(cell, { said: text, pattern: this.pattern });
        }
        if (column.hint) cell.title = cell.hint = column.hint(row);
      }
    });
  }

  mark() {
    const shown = this.active >= this.first && this.active < this.first + this.body.childElementCount;
    for (const element of this.body.children) {
      element.classList.toggle("active", element.id === `row-${this.active}`);
    }
    if (shown) this.root.setAttribute("aria-activedescendant", `row-${this.active}`);
    else this.root.removeAttribute("aria-activedescendant");
  }

  reveal(at) {
    this.active = Math.max(0, Math.min(this.rows.length - 1, at));
    const from = this.active * this.rowHeight;
    const top = this.top;
    let wanted = top;
    if (from < top) wanted = from;
    if (from + this.rowHeight > top + this.view) wanted = from + this.rowHeight - this.view;
    if (wanted !== top) {
      const most = this.full - this.view;
      this.root.scrollTop = most > 0 ? (wanted * (this.height - this.view)) / most : 0;
    }
    this.draw();
    this.mark();
  }

  restore({ active, top }) {
    this.active = Math.min(active, Math.max(0, this.rows.length - 1));
    this.root.scrollTop = top;
    this.draw();
    this.mark();
  }

  press(event) {
    if (event.target !== this.root || event.altKey || event.ctrlKey || event.metaKey) return;
    const page = Math.max(1, Math.floor(this.view / this.rowHeight) - 1);
    const moves = {
      ArrowDown: this.active + 1, ArrowUp: this.active - 1, PageDown: this.active + page,
      PageUp: this.active - page, Home: 0, End: this.rows.length - 1,
    };
    if (event.key in moves) this.reveal(moves[event.key]);
    else if (event.key === "Enter" || event.key === " ") this.choose(this.active);
    else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      const head = this.heads[-this.rows[this.active] - 1];
      if (!head || head.open === (event.key === "ArrowRight")) return;
      this.onFold(head);
    } else return;
    event.preventDefault();
  }

  click(event) {
    const element = event.target.closest(".row");
    if (!element || String(getSelection())) return;
    this.active = Number(element.id.slice(4));
    this.mark();
    this.choose(this.active);
  }

  choose(at) {
    if (!this.rows.length) return;
    const row = this.rows[at];
    if (row < 0) this.onFold(this.heads[-row - 1]);
    else this.onOpen(row);
  }
}
