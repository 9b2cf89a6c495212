// Tables that sort by any column and show only the rows with given words.

// So many rows are shown at first.
const FEW = 25;
// From so many rows on a table has a filter.
const FILTERED = 8;

// A column is { name, of(row): what it sorts by, text(row): what it shows, … }; a number if
// `number` is set. `node(row)` shows more than text, `bad(row)` colours it, `bar` compares, `style`
// is a class of its cells.
function makeTable({
  title,
  columns,
  sort = null,
  ascending = false,
  unit = "row",
  few = FEW,
  filter = true,
}) {
  let rows = [];
  let order = {
    column: sort === null ? null : columns.findIndex((column) => column.name === sort),
    ascending,
  };
  let all = false;
  let used = columns;

  const head = make("tr");
  const body = make("tbody");
  const table = make(
    "table",
    {},
    make("caption", { class: "unseen" }, title),
    make("thead", {}, head),
    body,
  );
  const scroll = make(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": title },
    table,
  );
  const shown = make("output", { class: "shown" });
  const search = make("input", {
    type: "search",
    placeholder: "Filter",
    "aria-label": "Filter " + title,
    oninput: show,
  });
  const tools = make("div", { class: "tools" }, search, shown);
  const more = make("button", {
    class: "more",
    type: "button",
    onclick: () => {
      all = true;
      show();
    },
  });
  const element = make("div", { class: "table" }, tools, scroll, more);

  const keys = columns.map((column) => {
    const sign = make("span", { "aria-hidden": "true" });
    const button = make(
      "button",
      { type: "button", title: column.title, onclick: () => sortBy(column) },
      ...(column.number ? [sign, column.name] : [column.name, sign]),
    );
    return {
      cell: make("th", { scope: "col", class: column.number ? "number" : null }, button),
      sign,
    };
  });

  function sortBy(column) {
    const index = columns.indexOf(column);
    const again = order.column === index;
    order = { column: index, ascending: again ? !order.ascending : !column.number };
    show();
  }

  function sorted(found) {
    const column = columns[order.column];
    if (!column) return found;
    const direction = order.ascending ? 1 : -1;
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

  function filtered() {
    const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (wanted.length === 0) return rows;
    return rows.filter((row) => {
      const texts = columns.filter((column) => !column.number).map((column) => column.of(row));
      const text = texts.join(" ").toLowerCase();
      return wanted.every((word) => text.includes(word));
    });
  }

  function show() {
    const found = filtered();
    const listed = sorted(found).slice(0, all ? Infinity : few);
    columns.forEach((column, index) => {
      const is = order.column === index;
      keys[index].sign.textContent = is ? (order.ascending ? "▲" : "▼") : "";
      if (is)
        keys[index].cell.setAttribute("aria-sort", order.ascending ? "ascending" : "descending");
      else keys[index].cell.removeAttribute("aria-sort");
    });
    const most = new Map(
      used
        .filter((column) => column.bar)
        .map((column) => [column, Math.max(...rows.map((row) => column.of(row) ?? 0))]),
    );
    body.replaceChildren(
      ...listed.map((row) =>
        make(
          "tr",
          {},
          used.map((column, index) => cell(column, row, index, most.get(column))),
        ),
      ),
    );
    shown.textContent =
      found.length === rows.length
        ? words.plural(rows.length, unit)
        : `${grouped(found.length)} of ${words.plural(rows.length, unit)}`;
    more.hidden = listed.length >= found.length;
    more.textContent = `Show all ${grouped(found.length)}`;
  }

  function update(newRows) {
    rows = newRows;
    // A column that says nothing of any row is left out.
    used = columns.filter((column) => !column.optional || rows.some((row) => column.of(row)));
    head.replaceChildren(...used.map((column) => keys[columns.indexOf(column)].cell));
    tools.hidden = !filter || (rows.length < FILTERED && search.value === "");
    element.hidden = rows.length === 0;
    show();
  }

  return { element, update };
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
