// Requests: how often, how long, why they failed, and which phases they went through.

const PHASES = {
  waiting: "waiting for a connection that might be used or opened",
  dns: "looking up the name",
  connect: "opening the TCP connection",
  tls: "the TLS handshake",
  sent: "writing the request",
  first_byte: "the server at work, until its first byte",
  body: "reading the rest of the answer",
};

function requestsPart() {
  const known = {};
  const byName = new Table({
    title: "Requests by name",
    unit: "name",
    sort: "Count",
    columns: columnsByName(known),
  });
  const errors = make("p", {});
  const details = requestDetails(known);
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
    details.element,
  );
  built.update = (report, names) => {
    Object.assign(known, { names, seconds: measuredSeconds(report) });
    const { http } = report;
    const kinds = Object.entries(http.errors ?? {}).sort((one, other) => other[1] - one[1]);
    built.element.hidden = http.requests_by_name.length === 0 && kinds.length === 0;
    byName.update(http.requests_by_name);
    errors.hidden = kinds.length === 0;
    errors.textContent =
      "Transport errors: " +
      kinds.map(([kind, count]) => `${words.count(count)} × ${kind}`).join(", ") +
      ".";
    details.update(http.requests_by);
  };
  return built;
}

function columnsByName(known) {
  const failed = (row) => sum(Object.values(row.failures));
  const failures = (row) =>
    Object.entries(row.failures).map(([why, count]) => `${words.count(count)} × ${why}`);
  return [
    textColumn("Request", requestLabel),
    countColumn("Count", (row) => row.count),
    {
      name: "Per second",
      of: (row) => share(row.count, known.seconds),
      number: true,
      text: (row) => words.rate(row.count / known.seconds),
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
    textColumn("Failures", (row) => failures(row).join(", "), { optional: true }),
  ];
}

// The rows behind those of the names, made when somebody wants to see them.
function requestDetails(known) {
  const table = new Table({
    title: "Requests by place and status",
    unit: "row",
    sort: "Count",
    columns: columnsByPlace(known),
  });
  let rows = [];
  const show = () => {
    if (element.open) table.update(rows);
  };
  const element = make(
    "details",
    { class: "block", ontoggle: show },
    make("summary", {}, "By journey, transaction and status, with the mean of each phase"),
    make(
      "p",
      { class: "remark" },
      "Times here are those of all requests of a row, failed ones too.",
    ),
    table.element,
  );
  const update = (newRows) => {
    rows = newRows;
    element.hidden = rows.length === 0;
    show();
  };
  return { element, update };
}

function columnsByPlace(known) {
  return [
    textColumn("Request", requestLabel),
    textColumn("Made by", (row) => known.names.place(row)),
    {
      name: "Status",
      of: (row) => row.status ?? 0,
      number: true,
      node: (row) => String(row.status ?? "none"),
      bad: (row) => row.failed_time?.count > 0,
    },
    countColumn("Count", (row) => row.count),
    ...percentiles((row) => row.time, ["p50", "p95", "p99", "max"]),
    ...Object.keys(PHASES).map((phase) =>
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
  ];
}

function phasesPart() {
  const known = {};
  const table = new Table({
    title: "Phases of a request",
    unit: "phase",
    columns: phaseColumns(known),
  });
  const parts = make("div", { class: "parts", role: "img" });
  const built = part("phases", "Phases of a request", parts, table.element);
  built.update = ({ http }) => {
    const rows = phaseRows(http);
    known.all = phaseSeconds({ times: http.time }) + phaseSeconds({ times: http.failed_time });
    built.element.hidden = rows.length === 0;
    const told = (row) => `${row.name} ${words.share(phaseSeconds(row) / known.all)}`;
    parts.setAttribute("aria-label", rows.map(told).join(", "));
    parts.replaceChildren(
      ...rows.map((row) => {
        const piece = make("i", { class: "fill-" + row.number, title: told(row) });
        piece.style.width = `${(100 * phaseSeconds(row)) / known.all}%`;
        return piece;
      }),
    );
    table.update(rows);
  };
  return built;
}

const phaseSeconds = ({ times }) => (times.mean ?? 0) * times.count;

function phaseRows(http) {
  return Object.entries(PHASES)
    .map(([phase, is], index) => ({
      name: phase.replace("_", " "),
      is,
      number: index + 1,
      times: http.phases?.[phase] ?? { count: 0 },
    }))
    .filter((row) => row.times.count > 0);
}

function phaseColumns(known) {
  return [
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
      of: (row) => share(phaseSeconds(row), known.all),
      number: true,
      text: (row) => words.share(phaseSeconds(row) / known.all),
      bar: true,
      title: "Of the time of all requests",
    },
    timeColumn("mean", (row) => row.times.mean),
    ...["p50", "p95", "p99", "max"].map((name) => timeColumn(name, (row) => row.times[name])),
  ];
}
