// Each name over time: which is slow, and since when.

// So many lines are told apart.
const PICKED_COLORS = ["orange", "blue", "teal", "violet", "red"];

function namesPart() {
  const names = new Names();
  const built = part(
    "names",
    "Slow names over time",
    names.remark,
    make("div", { class: "tools" }, names.kind, names.percentile),
    names.chart.element,
    names.key,
    names.table.element,
  );
  built.short = "Slow names";
  built.update = (report) => {
    const any = seriesOf(report).some((row) => KINDS_OF_NAMES.some(([kind]) => kind === row.kind));
    built.element.hidden = !any;
    names.update(report, any);
  };
  return built;
}

// A line for each of the names that are picked, and a strip for every one.
class Names {
  constructor() {
    this.picked = null;
    this.chart = new Chart(timeline, {
      title: "Times by name",
      unit: "time",
      log: true,
      lines: [],
      empty: "choose a name below",
    });
    this.kind = this.choice("Series of", KINDS_OF_NAMES);
    this.percentile = this.choice("Percentile", [
      ["p95", "p95"],
      ["p50", "p50"],
      ["p99", "p99"],
    ]);
    this.table = new Table({
      title: "Names over time",
      unit: "name",
      columns: this.columns(),
    });
    this.remark = make("p", { class: "remark" });
    this.key = make("p", { class: "key-line" });
  }

  choice(label, options) {
    return make(
      "select",
      { "aria-label": label, onchange: () => this.show() },
      options.map(([value, text]) => make("option", { value }, text)),
    );
  }

  columns() {
    return [
      { name: "Name", of: (row) => row.label, node: (row) => this.button(row) },
      {
        name: "Over time",
        of: (row) => row.time.p95 ?? null,
        number: true,
        node: (row) => this.strip(row),
        style: "over-time",
      },
      {
        name: "Got slow",
        of: (row) => row.slower,
        number: true,
        node: (row) => (row.onset === null ? "–" : onsetWords(row.onset)),
        title: "When it came to take at least twice as long as before, beyond chance",
        wide: true,
        optional: true,
      },
      countColumn("Count", (row) => row.all),
      countColumn("Failed", (row) => row.failed, { bad: (row) => row.failed > 0 }),
      timeColumn("p50", (row) => row.time.p50),
      timeColumn("p95", (row) => row.time.p95, { bar: true }),
      timeColumn("p99", (row) => row.time.p99),
    ];
  }

  update(report, any) {
    const same = this.report?.batches === report.batches && this.report?.batches;
    this.report = report;
    if (!any || same) return;
    this.remark.replaceChildren(
      `In stretches of ${words.plural(report.batches.seconds, "second")}, what got slow most ` +
        "first, and then by p95. Colours go from quick to slow; the upright line is where a " +
        "name came to take at least twice as long as before, beyond what chance makes of it.",
      onScreen(" Click a name to see its line."),
    );
    this.show();
  }

  show() {
    const all = seriesOf(this.report);
    this.offerKinds(all);
    const rows = all.filter((row) => row.kind === this.kind.value).sort(bySlowness);
    this.heat = new Heat(rows, this.percentile.value);
    this.chart.lines = this.lines(all, rows);
    this.chart.render();
    this.key.replaceChildren(
      `${this.percentile.value} of each ${this.kind.value}, from the start to the end: `,
      this.heat.any ? this.heat.key() : "",
    );
    this.keepFocus(() => this.table.update(rows));
  }

  // Only kinds of which there is something can be chosen.
  offerKinds(all) {
    const kinds = KINDS_OF_NAMES.filter(([value]) => all.some((row) => row.kind === value));
    const is = (wanted) => kinds.some(([value]) => value === wanted);
    for (const option of this.kind.options) option.hidden = option.disabled = !is(option.value);
    if (!is(this.kind.value)) this.kind.value = kinds[0]?.[0] ?? "request";
  }

  // Those that were picked, or else the first of the table, beside all requests together.
  lines(all, rows) {
    const known = new Set(rows.map((row) => row.key));
    const nonePicked = this.picked?.length === 0;
    const wanted = nonePicked || this.picked?.some((key) => known.has(key)) ? this.picked : null;
    const shown = wanted
      ? rows.filter((row) => wanted.includes(row.key))
      : rows.slice(0, PICKED_COLORS.length);
    const whole = all.find((row) => row.kind === (this.kind.value === "request" ? "http" : ""));
    return [
      ...(whole ? [this.line(whole, { color: "grey", dashed: true })] : []),
      ...shown.map((row, index) =>
        this.line(row, { color: PICKED_COLORS[index % PICKED_COLORS.length], key: row.key }),
      ),
    ];
  }

  line(row, more) {
    const { seconds } = this.report.batches;
    const times = row[this.percentile.value];
    const middle = (point) => point.at - timeline.interval / 2 - this.begin;
    const stretch = (point) => Math.floor(middle(point) / seconds);
    return { name: row.label, of: (point) => times[stretch(point)] ?? null, ...more };
  }

  // Where the first stretch begins.
  get begin() {
    return Math.ceil(this.report.series.warm_up_seconds ?? 0);
  }

  keepFocus(change) {
    const focused = document.activeElement?.dataset?.key;
    change();
    if (focused)
      [...this.table.element.querySelectorAll(".pick")]
        .find((button) => button.dataset.key === focused)
        ?.focus();
  }

  button(row) {
    const line = this.chart.lines.find((line) => line.key === row.key);
    return make(
      "button",
      {
        type: "button",
        class: "pick",
        "aria-pressed": String(Boolean(line)),
        "data-key": row.key,
        title: "Show or hide its line",
        onclick: () => this.pick(row),
      },
      make("span", { class: `swatch ${line ? "line-" + line.color : ""}`, "aria-hidden": "true" }),
      words.cut(row.label),
    );
  }

  pick({ key }) {
    const { lines } = this.chart;
    this.picked ??= lines.filter((line) => line.key).map((line) => line.key);
    if (this.picked.includes(key)) this.picked = this.picked.filter((other) => other !== key);
    else this.picked = [...this.picked.slice(-(PICKED_COLORS.length - 1)), key];
    this.show();
  }

  strip(row) {
    const { seconds } = this.report.batches;
    const mark = row.onset === null ? null : (row.onset.at - this.begin) / seconds;
    const drawn = this.heat.strip(row, mark);
    drawn.setAttribute(
      "aria-label",
      row.onset === null ? "no moment at which it got slow" : onsetWords(row.onset),
    );
    const tip = draw("title");
    drawn.prepend(tip);
    drawn.addEventListener("pointermove", (event) => {
      const box = drawn.getBoundingClientRect();
      const share = Math.min(0.9999, Math.max(0, (event.clientX - box.left) / box.width));
      const stretch = Math.floor(share * row.count.length);
      const from = this.begin + stretch * seconds;
      tip.textContent = this.stretchFacts(row, stretch, from).join(", ");
      timeline.look(timeline.nearest(from + seconds), null, false);
    });
    drawn.addEventListener("pointerleave", () => timeline.look(null));
    return drawn;
  }

  stretchFacts(row, stretch, from) {
    const { percentile } = this.heat;
    const time = row[percentile][stretch];
    const facts = [
      `${words.clock(from)} to ${words.clock(from + this.report.batches.seconds)}`,
      typeof time === "number" ? `${percentile} ${words.time(time)}` : "no time",
      `${words.count(row.count[stretch])} ended`,
    ];
    if (row.errors[stretch] > 0) facts.push(`${words.count(row.errors[stretch])} failed`);
    return facts;
  }
}
