// What ran, how often, and how long it took: journeys, transactions, requests, phases, metrics.

const share = (part, all) => (all > 0 ? part / all : null);

function journeysPart() {
  let names;
  const table = makeTable({
    title: "Journeys",
    unit: "journey",
    columns: [
      textColumn("Journey", (row) => names.entry(row), {
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
    ],
  });
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
  built.update = (report, newNames) => {
    names = newNames;
    built.element.hidden = report.journeys.length === 0;
    table.update(report.journeys);
    const told = report.journeys.map((row) => waited(row, names)).filter(Boolean);
    waits.replaceChildren(...told.map((text) => make("li", { class: "doubt" }, text)));
    waits.hidden = told.length === 0;
  };
  return built;
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
  const table = makeTable({
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

function requestsPart() {
  let names;
  let seconds;
  const failed = (row) => sum(Object.values(row.failures));
  const byName = makeTable({
    title: "Requests by name",
    unit: "name",
    sort: "Count",
    columns: [
      textColumn("Request", requestLabel),
      countColumn("Count", (row) => row.count),
      {
        name: "Per second",
        of: (row) => share(row.count, seconds),
        number: true,
        text: (row) => words.rate(row.count / seconds),
      },
      countColumn("Failed", failed, { bad: (row) => failed(row) > 0 }),
      {
        name: "Failed %",
        of: (row) => share(failed(row), row.count),
        number: true,
        text: (row) => words.share(failed(row) / row.count),
        bad: (row) => failed(row) > 0,
      },
      timeColumn("mean", (row) => row.time.mean),
      ...percentiles((row) => row.time, ["p50", "p95", "p99", "p99_9", "max"]),
      textColumn(
        "Failures",
        (row) =>
          Object.entries(row.failures)
            .map(([why, count]) => `${words.count(count)} × ${why}`)
            .join(", "),
        { optional: true },
      ),
    ],
  });
  const phases = ["waiting", "dns", "connect", "tls", "sent", "first_byte", "body"];
  const detailed = makeTable({
    title: "Requests by place and status",
    unit: "row",
    sort: "Count",
    columns: [
      textColumn("Request", requestLabel),
      textColumn("Made by", (row) => names.place(row)),
      {
        name: "Status",
        of: (row) => row.status ?? 0,
        number: true,
        node: (row) => String(row.status ?? "none"),
        bad: (row) => row.failed_time?.count > 0,
      },
      countColumn("Count", (row) => row.count),
      ...percentiles((row) => row.time, ["p50", "p95", "p99", "max"]),
      ...phases.map((phase) =>
        timeColumn(phase.replace("_", " "), (row) => row[phase]?.mean, {
          optional: true,
          title: "Mean of this phase, over the requests that went through it",
        }),
      ),
      {
        name: "Body",
        of: (row) => row.decoded_body_bytes ?? null,
        number: true,
        text: (row) => words.bytes(row.decoded_body_bytes),
        optional: true,
        title: "Bodies of the answers, decompressed",
      },
    ],
  });
  const errors = make("p", {});
  const details = make(
    "details",
    {
      class: "block",
      ontoggle: () => {
        if (details.open) detailed.update(latest);
      },
    },
    make("summary", {}, "By journey, transaction and status, with the mean of each phase"),
    make(
      "p",
      { class: "remark" },
      "Times here are those of all requests of a row, failed ones too.",
    ),
    detailed.element,
  );
  let latest = [];
  const built = part(
    "requests",
    "Requests",
    make(
      "p",
      { class: "remark" },
      "Times are those of successful requests, from sending to the last byte of the answer. " +
        "The shading compares p95.",
    ),
    byName.element,
    errors,
    details,
  );
  built.update = (report, newNames) => {
    names = newNames;
    seconds = measuredSeconds(report);
    const { http } = report;
    const kinds = Object.entries(http.errors ?? {}).sort((one, other) => other[1] - one[1]);
    built.element.hidden = http.requests_by_name.length === 0 && kinds.length === 0;
    byName.update(http.requests_by_name);
    errors.hidden = kinds.length === 0;
    errors.textContent =
      "Transport errors: " +
      kinds.map(([kind, count]) => `${words.count(count)} × ${kind}`).join(", ") +
      ".";
    latest = http.requests_by;
    details.hidden = latest.length === 0;
    if (details.open) detailed.update(latest);
  };
  return built;
}

function phasesPart() {
  let all;
  const seconds = ({ times }) => (times.mean ?? 0) * times.count;
  const table = makeTable({
    title: "Phases of a request",
    unit: "phase",
    columns: [
      {
        name: "Phase",
        of: (row) => row.name,
        node: (row) =>
          make(
            "span",
            {},
            make("span", { class: `swatch fill-${row.number}`, "aria-hidden": "true" }),
            row.name,
          ),
      },
      textColumn("Is", (row) => row.is, { wide: true }),
      countColumn("Count", (row) => row.times.count),
      {
        name: "Share",
        of: (row) => share(seconds(row), all),
        number: true,
        text: (row) => words.share(seconds(row) / all),
        bar: true,
        title: "Of the time of all requests",
      },
      timeColumn("mean", (row) => row.times.mean),
      ...["p50", "p95", "p99", "max"].map((name) => timeColumn(name, (row) => row.times[name])),
    ],
  });
  const parts = make("div", { class: "parts", role: "img" });
  const built = part("phases", "Phases of a request", parts, table.element);
  const PHASES = {
    waiting: "waiting for a connection that might be used or opened",
    dns: "looking up the name",
    connect: "opening the TCP connection",
    tls: "the TLS handshake",
    sent: "writing the request",
    first_byte: "the server at work, until its first byte",
    body: "reading the rest of the answer",
  };
  built.update = ({ http }) => {
    const rows = Object.entries(PHASES)
      .map(([phase, is], index) => ({
        name: phase.replace("_", " "),
        is,
        number: index + 1,
        times: http.phases?.[phase] ?? { count: 0 },
      }))
      .filter((row) => row.times.count > 0);
    all = seconds({ times: http.time }) + seconds({ times: http.failed_time });
    built.element.hidden = rows.length === 0;
    parts.setAttribute(
      "aria-label",
      rows.map((row) => `${row.name} ${words.share(seconds(row) / all)}`).join(", "),
    );
    parts.replaceChildren(
      ...rows.map((row) => {
        const piece = make("i", {
          class: "fill-" + row.number,
          title: `${row.name} ${words.share(seconds(row) / all)}`,
        });
        piece.style.width = `${(100 * seconds(row)) / all}%`;
        return piece;
      }),
    );
    table.update(rows);
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
  const table = makeTable({
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
