// What belongs to the plan of the run: its stages, what volume models found out, and its settings.

function stagesPart() {
  const known = {};
  const stages = new Table({ title: "Stages", unit: "stage", columns: stageColumns() });
  const journeys = new Table({
    title: "Journeys by stage",
    unit: "row",
    columns: stageJourneyColumns(known),
  });
  const built = part(
    "stages",
    "Stages",
    stages.element,
    make(
      "div",
      { class: "block" },
      make("h3", {}, "Journeys by stage, response times"),
      journeys.element,
    ),
  );
  built.update = (report, names) => {
    known.names = names;
    const rows = report.stages ?? [];
    built.element.hidden = rows.length === 0;
    stages.update(rows);
    journeys.update(
      rows.flatMap((row) => row.journeys.map((journey) => ({ ...journey, stage: row.name }))),
    );
  };
  return built;
}

function stageColumns() {
  return [
    textColumn("Stage", (row) => row.name),
    { name: "From", of: (row) => row.from, number: true, text: (row) => words.clock(row.from) },
    {
      name: "Until",
      of: (row) => row.until,
      number: true,
      text: (row) => words.clock(row.until),
    },
    {
      name: "In flight",
      of: (row) => row.users,
      number: true,
      text: (row) => words.number(row.users),
      title: "Journeys in flight, on average",
    },
    countColumn("Due", (row) => row.planned_starts, {
      optional: true,
      title: "Starts that fell due, in the open model",
    }),
    countColumn("Started", (row) => row.starts),
    countColumn("Failed", (row) => row.errors, {
      bad: (row) => row.errors > 0,
      title: "Journeys that failed",
    }),
    countColumn("Dropped", (row) => row.dropped, {
      bad: (row) => row.dropped > 0,
      optional: true,
    }),
    countColumn("Requests", (row) => row.http.requests, { optional: true }),
    {
      name: "Per second",
      of: (row) => share(row.http.requests, row.seconds),
      number: true,
      text: (row) => words.rate(row.http.requests / row.seconds),
      optional: true,
    },
    countColumn("Requests failed", (row) => row.http.failed, {
      bad: (row) => row.http.failed > 0,
      optional: true,
    }),
    ...percentiles((row) => row.http.time, ["p50", "p95", "p99", "max"]).map((column) => ({
      ...column,
      optional: true,
      title: "Of successful requests",
    })),
  ];
}

function stageJourneyColumns(known) {
  return [
    textColumn("Stage", (row) => row.stage),
    textColumn("Journey", (row) => known.names.entry(row)),
    countColumn("Started", (row) => row.started),
    countColumn("Completed", (row) => row.completed),
    countColumn("Failed", (row) => row.failed, { bad: (row) => row.failed > 0 }),
    countColumn("Dropped", (row) => row.dropped, {
      bad: (row) => row.dropped > 0,
      optional: true,
    }),
    ...percentiles((row) => row.response_time, ["p50", "p95", "p99", "max"]),
    timeColumn("service p99", (row) => row.service_time.p99),
  ];
}

function findingsPart() {
  const place = make("div");
  const built = part("findings", "Findings", place);
  // One block for each volume that follows the results, however often it tells of itself.
  const blocks = [];
  built.update = (report, names) => {
    const findings = report.findings ?? [];
    built.element.hidden = findings.length === 0;
    while (blocks.length < findings.length) blocks.push(findingBlock());
    findings.forEach((finding, index) => blocks[index].update(finding, names));
    const shown = blocks.slice(0, findings.length).map((block) => block.element);
    if (place.childNodes.length !== shown.length) place.replaceChildren(...shown);
  };
  return built;
}

function findingBlock() {
  let finding;
  const amount = (value) =>
    typeof value === "number"
      ? words.number(value) + (finding.unit === "per_second" ? "/s" : " users")
      : "–";
  const steps = new Table({
    title: "Steps",
    unit: "step",
    columns: [
      { name: "At", of: (row) => row.at, text: (row) => words.clock(row.at) },
      { name: "Volume", of: (row) => row.volume, number: true, text: (row) => amount(row.volume) },
      {
        name: "Throughput",
        of: (row) => row.throughput,
        number: true,
        text: (row) => words.rate(row.throughput) + "/s",
      },
      {
        name: "Errors %",
        of: (row) => row.error_rate,
        number: true,
        text: (row) => words.share(row.error_rate),
        bad: (row) => row.error_rate > 0,
      },
      ...percentiles((row) => row, ["p50", "p95", "p99"]),
      {
        name: "Good",
        of: (row) => (row.good ? "good" : "bad"),
        node: (row) => mark(row.good, "good", "bad"),
      },
      textColumn("Why", (row) => row.why ?? "", { wide: true, optional: true }),
    ],
  });
  const title = make("h3");
  const sentence = make("p");
  const doubts = make("ul");
  const element = make("div", { class: "block" }, title, sentence, doubts, steps.element);
  return {
    element,
    update(newFinding, names) {
      finding = newFinding;
      title.textContent = `${names.entry(finding)}: ${finding.criterion}`;
      sentence.textContent = findingSentence(finding, amount);
      doubts.replaceChildren(...finding.doubts.map((doubt) => make("li", { class: "doubt" }, doubt)));
      steps.update(finding.steps);
    },
  };
}

function findingSentence(finding, amount) {
  const { found, low, high, measured } = finding;
  const between =
    typeof low === "number" && typeof high === "number"
      ? `, between ${amount(low)} and ${amount(high)}`
      : "";
  if (finding.kind === "capacity") {
    return (
      {
        found: `The capacity is ${amount(found)}${between}.`,
        at_least: `The capacity is ${amount(found ?? low)} at least: the upper bound was good.`,
        below: `The capacity is below ${amount(high)}: the lower bound was bad already.`,
        unfinished: `The time was up before the capacity was found${between}.`,
      }[finding.conclusion] ?? `The capacity: ${amount(found)}${between}.`
    );
  }
  const came =
    typeof measured === "number"
      ? ` It came to ${(finding.kind === "held_latency" ? words.time : words.percent)(measured)}.`
      : "";
  return typeof found === "number"
    ? `Held by ${amount(found)} on average${between}.${came}`
    : `It was not reached.${came}`;
}

function settingsPart() {
  const table = new Table({
    title: "Configuration",
    unit: "setting",
    columns: [
      {
        name: "Setting",
        of: (row) => row[0],
        node: (row) => make("span", { class: "code" }, words.cut(row[0])),
      },
      {
        name: "Value",
        of: (row) => row[1],
        wide: true,
        node: (row) => make("span", { class: "code" }, words.cut(row[1], 2000)),
      },
    ],
  });
  const built = part(
    "configuration",
    "Configuration",
    make("p", { class: "remark" }, "Secrets are shown as ***."),
    table.element,
  );
  built.update = (report) => {
    const { generator } = report;
    const rows = [
      ["scenario", report.scenario],
      ["started", report.started],
    ];
    if (report.seed !== undefined) rows.push(["seed", String(report.seed)]);
    rows.push(["workers", String(generator.workers)], ["runners", String(generator.runners)]);
    if (generator.max_in_flight > 0)
      rows.push(["max in flight", words.count(generator.max_in_flight)]);
    rows.push(
      ...Object.entries(report.config ?? {}).map(([key, value]) => ["config: " + key, value]),
    );
    table.update(rows);
  };
  return built;
}
