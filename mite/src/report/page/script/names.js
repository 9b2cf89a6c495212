// Each name over time: which is slow, and since when.

// So many lines are told apart.
const PICKED_COLORS = ["orange", "blue", "teal", "violet", "red"];

function namesPart() {
  let report;
  let heat;
  let picked = null;
  const chart = new Chart(timeline, {
    title: "Times by name",
    unit: "time",
    log: true,
    lines: [],
    empty: "choose a name below",
  });
  const choose = (label, options) =>
    make(
      "select",
      { "aria-label": label, onchange: () => show() },
      options.map(([value, text]) => make("option", { value }, text)),
    );
  const kind = choose("Series of", KINDS_OF_NAMES);
  const percentile = choose("Percentile", [
    ["p95", "p95"],
    ["p50", "p50"],
    ["p99", "p99"],
  ]);
  const table = makeTable({
    title: "Names over time",
    unit: "name",
    columns: [
      { name: "Name", of: (row) => row.label, node: nameButton },
      {
        name: "Over time",
        of: (row) => row.time.p95 ?? null,
        number: true,
        node: strip,
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
    ],
  });
  const remark = make("p", { class: "remark" });
  const key = make("p", { class: "key-line" });
  const built = part(
    "names",
    "Slow names over time",
    remark,
    make("div", { class: "tools" }, kind, percentile),
    chart.element,
    key,
    table.element,
  );
  built.short = "Slow names";

  function nameButton(row) {
    const line = chart.lines.find((line) => line.key === row.key);
    return make(
      "button",
      {
        type: "button",
        class: "pick",
        "aria-pressed": String(Boolean(line)),
        "data-key": row.key,
        title: "Show or hide its line",
        onclick: () => pick(row),
      },
      make("span", { class: `swatch ${line ? "line-" + line.color : ""}`, "aria-hidden": "true" }),
      words.cut(row.label),
    );
  }

  function strip(row) {
    const { seconds } = report.batches;
    const offset = Math.ceil(report.series.warm_up_seconds ?? 0);
    const mark = row.onset === null ? null : (row.onset.at - offset) / seconds;
    const drawn = heat.strip(row, mark);
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
      const from = offset + stretch * seconds;
      const time = row[heat.percentile][stretch];
      const facts = [
        `${words.clock(from)} to ${words.clock(from + seconds)}`,
        typeof time === "number" ? `${heat.percentile} ${words.time(time)}` : "no time",
        `${words.count(row.count[stretch])} ended`,
      ];
      if (row.errors[stretch] > 0) facts.push(`${words.count(row.errors[stretch])} failed`);
      tip.textContent = facts.join(", ");
      timeline.look(timeline.nearest(from + seconds), null, false);
    });
    drawn.addEventListener("pointerleave", () => timeline.look(null));
    return drawn;
  }

  function pick(row) {
    picked ??= chart.lines.filter((line) => line.key).map((line) => line.key);
    if (picked.includes(row.key)) picked = picked.filter((key) => key !== row.key);
    else picked = [...picked.slice(-(PICKED_COLORS.length - 1)), row.key];
    show();
  }

  function lineOf(row, more) {
    const { seconds } = report.batches;
    const offset = Math.ceil(report.series.warm_up_seconds ?? 0);
    const times = row[percentile.value];
    const stretch = (point) => Math.floor((point.at - timeline.interval / 2 - offset) / seconds);
    return { name: row.label, of: (point) => times[stretch(point)] ?? null, ...more };
  }

  function show() {
    const all = seriesOf(report);
    const kinds = KINDS_OF_NAMES.filter(([value]) => all.some((row) => row.kind === value));
    for (const option of kind.options)
      option.hidden = option.disabled = !kinds.some(([value]) => value === option.value);
    if (!kinds.some(([value]) => value === kind.value)) kind.value = kinds[0]?.[0] ?? "request";
    const rows = all.filter((row) => row.kind === kind.value).sort(bySlowness);
    heat = new Heat(rows, percentile.value);
    const known = new Set(rows.map((row) => row.key));
    const wanted = picked?.some((key) => known.has(key)) ? picked : picked?.length === 0 ? [] : null;
    const shown = wanted
      ? rows.filter((row) => wanted.includes(row.key))
      : rows.slice(0, PICKED_COLORS.length);
    const whole = all.find((row) => row.kind === (kind.value === "request" ? "http" : ""));
    chart.lines = [
      ...(whole ? [lineOf(whole, { color: "grey", dashed: true })] : []),
      ...shown.map((row, index) =>
        lineOf(row, { color: PICKED_COLORS[index % PICKED_COLORS.length], key: row.key }),
      ),
    ];
    chart.render();
    key.replaceChildren(
      `${percentile.value} of each ${kind.value}, from the start to the end: `,
      heat.any ? heat.key() : "",
    );
    const focused = document.activeElement?.dataset?.key;
    table.update(rows);
    if (focused)
      [...table.element.querySelectorAll(".pick")]
        .find((button) => button.dataset.key === focused)
        ?.focus();
  }

  built.update = (newReport) => {
    const same = report?.batches === newReport.batches && report?.batches;
    report = newReport;
    const any = seriesOf(report).some((row) => KINDS_OF_NAMES.some(([kind]) => kind === row.kind));
    built.element.hidden = !any;
    if (!any || same) return;
    remark.textContent =
      `In stretches of ${words.plural(report.batches.seconds, "second")}, what got slow most ` +
      "first, and then by p95. Colours go from quick to slow; the upright line is where a name came to " +
      "take at least twice as long as before, beyond what chance makes of it. " +
      "Click a name to see its line.";
    show();
  };
  return built;
}
