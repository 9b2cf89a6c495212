// Tables that sort by any column and show only the rows with given words.

// So many rows are shown at first.
const FEW = 25;
// From so many rows on a table has a filter.
const FILTERED = 8;

// A column is { name, of(row): what it sorts by, text(row): what it shows, … }; a number if
// `number` is set. `node(row)` shows more than text, `bad(row)` colours it, `bar` compares, `style`
// is a class of its cells.
class Table {
  constructor({
    title,
    columns,
    sort = null,
    ascending = false,
    unit = "row",
    few = FEW,
    filter = true,
  }) {
    Object.assign(this, { columns, unit, few, filter });
    this.rows = [];
    this.order = {
      column: sort === null ? null : columns.findIndex((column) => column.name === sort),
      ascending,
    };
    this.all = false;
    this.used = columns;
    this.keys = columns.map((column) => this.key(column));
    this.build(title);
  }

  build(title) {
    this.head = make("tr");
    this.body = make("tbody");
    const caption = make("caption", { class: "unseen" }, title);
    const table = make("table", {}, caption, make("thead", {}, this.head), this.body);
    const scroll = make(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": title },
      table,
    );
    this.shown = make("output", { class: "shown" });
    this.search = make("input", {
      type: "search",
      placeholder: "Filter",
      "aria-label": "Filter " + title,
      oninput: () => this.show(),
    });
    this.tools = make("div", { class: "tools" }, this.search, this.shown);
    this.more = make("button", { class: "more", type: "button", onclick: () => this.showAll() });
    this.element = make("div", { class: "table" }, this.tools, scroll, this.more);
  }

  // The head of a column, with a sign that says whether rows are sorted by it.
  key(column) {
    const sign = make("span", { "aria-hidden": "true" });
    const button = make(
      "button",
      { type: "button", title: column.title, onclick: () => this.sortBy(column) },
      ...(column.number ? [sign, column.name] : [column.name, sign]),
    );
    const classes = [column.number ? "number" : "text", column.style].filter(Boolean);
    return {
      cell: make("th", { scope: "col", class: classes.join(" ") }, button),
      sign,
    };
  }

  update(rows) {
    this.rows = rows;
    // A column that says nothing of any row is left out.
    this.used = this.columns.filter(
      (column) => !column.optional || rows.some((row) => column.of(row)),
    );
    this.head.replaceChildren(
      ...this.used.map((column) => this.keys[this.columns.indexOf(column)].cell),
    );
    this.tools.hidden = !this.filter || (rows.length < FILTERED && this.search.value === "");
    this.element.hidden = rows.length === 0;
    this.show();
  }

  show() {
    const found = this.filtered();
    const listed = this.sorted(found).slice(0, this.all ? Infinity : this.few);
    this.markOrder();
    const most = this.largest();
    this.body.replaceChildren(
      ...listed.map((row) =>
        make(
          "tr",
          {},
          this.used.map((column, index) => cell(column, row, index, most.get(column))),
        ),
      ),
    );
    this.shown.textContent =
      found.length === this.rows.length
        ? words.plural(this.rows.length, this.unit)
        : `${grouped(found.length)} of ${words.plural(this.rows.length, this.unit)}`;
    this.more.hidden = listed.length >= found.length;
    this.more.textContent = `Show all ${grouped(found.length)}`;
    this.more.dataset.onPaper = `and ${grouped(found.length - listed.length)} more`;
  }

  showAll() {
    this.all = true;
    this.show();
  }

  sortBy(column) {
    const index = this.columns.indexOf(column);
    const again = this.order.column === index;
    this.order = { column: index, ascending: again ? !this.order.ascending : !column.number };
    this.show();
  }

  filtered() {
    const wanted = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (wanted.length === 0) return this.rows;
    return this.rows.filter((row) => {
      const texts = this.columns.filter((column) => !column.number).map((column) => column.of(row));
      const text = texts.join(" ").toLowerCase();
      return wanted.every((word) => text.includes(word));
    });
  }

  sorted(found) {
    const column = this.columns[this.order.column];
    if (!column) return found;
    const direction = this.order.ascending ? 1 : -1;
    const nothing = (value) => value === null || value === undefined;
    const compare = column.number
      ? (one, other) => one - other
      : (one, other) => (one < other ? -1 : one > other ? 1 : 0);
    return found
      .map((row) => [column.of(row), row])
      .sort(([one], [other]) => {
        // What is not there comes last either way.
        if (nothing(one) || nothing(other)) return nothing(one) - nothing(other);
        return direction * compare(one, other);
      })
      .map(([, row]) => row);
  }

  markOrder() {
    this.keys.forEach(({ cell, sign }, index) => {
      const is = this.order.column === index;
      const { ascending } = this.order;
      sign.textContent = is ? (ascending ? "▲" : "▼") : "";
      if (is) cell.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      else cell.removeAttribute("aria-sort");
    });
  }

  // What the bars of a column are measured by.
  largest() {
    const most = (column) => Math.max(...this.rows.map((row) => column.of(row) ?? 0));
    return new Map(
      this.used.filter((column) => column.bar).map((column) => [column, most(column)]),
    );
  }
}

function cell(column, row, index, most) {
  const value = column.of(row);
  const nothing = value === null || value === undefined;
  const classes = [column.number ? "number" : "text"];
  if (column.wide) classes.push("wide");
  if (column.style) classes.push(column.style);
  if (column.bad?.(row)) classes.push("bad");
  if (nothing) classes.push("nothing");
  const made = index === 0 ? make("th", { scope: "row" }) : make("td");
  if (column.number && !nothing) made.dataset.value = value;
  // Where there is no room for columns, each cell says what it is.
  if (index > 0) made.dataset.name = column.name;
  if (column.bar && value > 0) {
    classes.push("bar");
    const bar = make("i", { "aria-hidden": "true" });
    bar.style.width = `calc((100% - .6rem) * ${value / most})`;
    made.append(bar);
  }
  made.className = classes.join(" ");
  if (column.node) made.append(column.node(row));
  else made.append(nothing ? "–" : words.cut(column.text ? column.text(row) : String(value)));
  return made;
}

// Columns that many tables have.
const share = (part, all) => (all > 0 ? part / all : null);
const textColumn = (name, of, more = {}) => ({ name, of, ...more });
const countColumn = (name, of, more = {}) => ({
  name,
  of,
  number: true,
  text: (row) => words.count(of(row)),
  ...more,
});
const timeColumn = (name, of, more = {}) => ({
  name,
  of: (row) => of(row) ?? null,
  number: true,
  text: (row) => words.time(of(row)),
  ...more,
});
const percentiles = (times, names = ["p50", "p90", "p95", "p99", "max"], prefix = "") =>
  names.map((name) =>
    timeColumn(prefix + name.replace("p99_9", "p99.9"), (row) => times(row)?.[name], {
      bar: name === "p95",
    }),
  );
