// What ran, how often, and how long it took: journeys, transactions, metrics of one's own.

function journeysPart() {
  const known = {};
  const table = new Table({ title: "Journeys", unit: "journey", columns: journeyColumns(known) });
  const waits = make("ul", {});
  const built = part(
    "journeys",
    "Journeys",
    make(
      "p",
      { class: "remark" },
      "Percentiles are those of the response time, from when a run was due to begin, over " +
        "completed runs.",
    ),
    table.element,
    waits,
  );
  built.update = (report, names) => {
    known.names = names;
    built.element.hidden = report.journeys.length === 0;
    table.update(report.journeys);
    const told = report.journeys.map((row) => waited(row, names)).filter(Boolean);
    waits.replaceChildren(...told.map((text) => make("li", { class: "doubt" }, text)));
    waits.hidden = told.length === 0;
  };
  return built;
}

function journeyColumns(known) {
  return [
    textColumn("Journey", (row) => known.names.entry(row), {
      title: "A row for each entry of the scenario",
    }),
    countColumn("Started", (row) => row.started),
    countColumn("Completed", (row) => row.completed),
    countColumn("Failed", (row) => row.failed, { bad: (row) => row.failed > 0 }),
    countColumn("Dropped", (row) => row.dropped, {
      bad: (row) => row.dropped > 0,
      optional: true,
      title: "Planned, and given up before they began",
    }),
    countColumn("Interrupted", (row) => row.interrupted, {
      optional: true,
      title: "Cut off by the end of the test",
    }),
    {
      name: "Unmet",
      of: (row) => row.unmet ?? null,
      number: true,
      text: (row) => words.share(row.unmet),
      optional: true,
      title: "Of the planned volume, what did not come about",
    },
    ...percentiles((row) => row.response_time, ["p50", "p95", "p99", "max"]),
    timeColumn("service p99", (row) => row.service_time.p99, {
      title: "Service time: from the actual start",
    }),
    timeColumn("delay p99", (row) => row.start_delay.p99, {
      optional: true,
      title: "Start delay: from the intended start to the actual one",
    }),
  ];
}

// One sentence where the service time alone would tell a rosier tale.
function waited(row, names) {
  const differ = ["p99", "p95", "p90", "p50"].find((name) => {
    const [response, service] = [row.response_time[name], row.service_time[name]];
    return response >= service * 1.5 && response - service >= 0.01;
  });
  if (!differ) return null;
  const causes = Object.entries({
    "room (as many were in flight as --max-in-flight allows)": row.waits?.room ?? 0,
    "data (its datapool had none to give)": row.waits?.data ?? 0,
    "their worker (it was busy or blocked)": row.waits?.worker ?? 0,
  });
  const all = sum(causes.map(([, seconds]) => seconds));
  const named = causes
    .filter(([, seconds]) => seconds > 0 && seconds >= all / 10)
    .sort((one, other) => other[1] - one[1])
    .map(([cause]) => cause);
  const [response, service] = [row.response_time[differ], row.service_time[differ]].map(words.time);
  return (
    `${names.entry(row)}: response time ${differ} ${response}, ` +
    `service time ${differ} ${service}. Starts waited for ` +
    `${named.join(", and for ") || "their turn"}.`
  );
}

function transactionsPart() {
  let names;
  let seconds;
  const table = new Table({
    title: "Transactions",
    unit: "transaction",
    columns: [
      textColumn("Transaction", (row) => names.place(row)),
      countColumn("Count", (row) => row.count),
      {
        name: "Per second",
        of: (row) => share(row.count, seconds),
        number: true,
        text: (row) => words.rate(row.count / seconds),
      },
      countColumn("Errors", (row) => row.errors, {
        bad: (row) => row.errors > 0,
        title: "Ended by a failure, their own or one further in",
      }),
      {
        name: "Errors %",
        of: (row) => share(row.errors, row.count),
        number: true,
        text: (row) => words.share(row.errors / row.count),
        bad: (row) => row.errors > 0,
      },
      timeColumn("mean", (row) => row.time.mean),
      ...percentiles((row) => row.time),
    ],
  });
  const built = part("transactions", "Transactions", table.element);
  built.update = (report, newNames) => {
    names = newNames;
    seconds = measuredSeconds(report);
    built.element.hidden = report.transactions.length === 0;
    table.update(report.transactions);
  };
  return built;
}

function metricsPart() {
  const figures = (row) => row.latency ?? row.values ?? null;
  const shown = (row, value) => (row.latency ? words.time(value) : words.number(value));
  const figure = (name) => ({
    name: name.replace("_", "."),
    of: (row) => figures(row)?.[name] ?? null,
    number: true,
    text: (row) =>
      name === "count" ? words.count(figures(row).count) : shown(row, figures(row)[name]),
    optional: true,
  });
  const table = new Table({
    title: "Metrics of your own",
    unit: "series",
    columns: [
      textColumn("Metric", (row) => row.name),
      textColumn(
        "Labels",
        (row) =>
          Object.entries(row.labels)
            .map(([label, value]) => `${label}=${value}`)
            .join(", "),
        { optional: true },
      ),
      textColumn("Kind", (row) => row.kind),
      {
        name: "Value",
        of: (row) => row.value ?? null,
        number: true,
        text: (row) => words.number(row.value),
        optional: true,
      },
      ...["count", "mean", "p50", "p95", "p99", "max"].map(figure),
    ],
  });
  const built = part("metrics", "Metrics of your own", table.element);
  built.update = (report) => {
    built.element.hidden = report.metrics.length === 0;
    table.update(report.metrics);
  };
  return built;
}
