// What went wrong: errors with their places and what they said, and what is held against the
// generator.

// So many messages of an error are shown at once.
const SAMPLES = 3;

function errorsPart() {
  let names;
  let all;
  const table = makeTable({
    title: "Errors",
    unit: "place",
    sort: "Count",
    columns: [
      textColumn("Kind", (row) => row.kind),
      countColumn("Count", (row) => row.count),
      {
        name: "Share",
        of: (row) => share(row.count, all),
        number: true,
        text: (row) => words.share(row.count / all),
      },
      textColumn("In", (row) => names.place(row)),
      {
        name: "At",
        of: (row) => row.location,
        node: (row) => make("span", { class: "code" }, words.cut(row.location) || "–"),
      },
      {
        name: "Said",
        wide: true,
        of: (row) => row.samples.map((sample) => sample.message).join("\n"),
        node: said,
      },
    ],
  });
  const built = part("errors", "Errors", table.element);
  built.update = (report, newNames) => {
    names = newNames;
    const rows = byPlace(report.errors);
    all = sum(rows.map((row) => row.count));
    built.element.hidden = rows.length === 0;
    table.update(rows);
  };
  return built;
}

// One row for each kind and place, with the different messages there.
function byPlace(errors) {
  const rows = new Map();
  for (const error of errors) {
    const key = JSON.stringify([error.kind, error.journey, error.transaction, error.location]);
    const row = rows.get(key) ?? { ...error, count: 0, samples: [] };
    row.count += error.count;
    row.samples.push({ message: error.message, count: error.count });
    rows.set(key, row);
  }
  return [...rows.values()];
}

function said(row) {
  const list = (samples) =>
    make(
      "ul",
      { class: "samples" },
      samples.map(({ message, count }) =>
        make(
          "li",
          {},
          words.cut(message, 600),
          row.samples.length > 1
            ? make("span", { class: "quiet" }, ` × ${words.count(count)}`)
            : null,
        ),
      ),
    );
  const rest = row.samples.slice(SAMPLES);
  if (rest.length === 0) return list(row.samples);
  const details = make(
    "details",
    {
      ontoggle: () => {
        if (details.childNodes.length === 1) details.append(list(rest.slice(0, 200)));
      },
    },
    make("summary", {}, `${words.plural(rest.length, "more message")}`),
  );
  return make("div", {}, list(row.samples.slice(0, SAMPLES)), details);
}

function generatorPart() {
  const word = make("p", {});
  const suspicions = makeTable({
    title: "Suspicions",
    unit: "suspicion",
    columns: [
      textColumn("About", (row) => row.name.replaceAll("_", " ")),
      {
        name: "Weight",
        of: (row) => (row.invalid ? "makes the run invalid" : "warning"),
        bad: (row) => row.invalid,
      },
      textColumn("Cause", causeOf),
      textColumn("What", (row) => row.message, { wide: true }),
    ],
  });
  const figures = makeTable({
    title: "Figures of the generator",
    unit: "figure",
    filter: false,
    columns: [
      textColumn("Figure", (row) => row[0]),
      { name: "Value", of: (row) => row[1], node: (row) => row[1] },
      textColumn("Tells", (row) => row[2], { wide: true }),
    ],
  });
  const notes = make("ul", {});
  const built = part(
    "generator",
    "The load generator itself",
    word,
    suspicions.element,
    notes,
    make("div", { class: "block" }, make("h3", {}, "Figures"), figures.element),
  );
  built.short = "Generator";
  built.update = (report, names) => {
    const { generator } = report;
    const held = generator.suspicions ?? [];
    const [style, sentence] = judgement(held);
    word.className = style;
    word.textContent = sentence;
    suspicions.update(held);
    figures.update(generatorFigures(report));
    const said = [...(generator.notes ?? [])];
    if (generator.starved?.length > 0) {
      said.push(
        "Waited for data, because the pool was empty: " +
          `${generator.starved.map(names.journey).join(", ")}.`,
      );
    }
    notes.replaceChildren(...said.map((note) => make("li", {}, words.cut(note, 2000))));
    notes.hidden = said.length === 0;
  };
  return built;
}

// [how it looks, what the suspicions come to for the generator]
function judgement(suspicions) {
  const own = suspicions.filter((one) => causeOf(one) === "generator");
  const decisive = suspicions.filter((one) => one.invalid);
  if (own.some((one) => one.invalid))
    return [
      "bad",
      "The numbers of this run say little about the system: the generator, or its machine, " +
        "did not do what was asked of it.",
    ];
  if (decisive.length > 0)
    return [
      "doubt",
      "The load was not what was asked for, but the generator is not to blame for it" +
        (own.length > 0 ? ", though something of it came near its limits." : "."),
    ];
  if (own.length > 0)
    return [
      "doubt",
      "The load was what was asked for, but something of the generator came near its limits, " +
        "and may be in the times.",
    ];
  return ["good", "Nothing speaks against the generator: no limit of its own was passed."];
}

function generatorFigures({ generator, duration_seconds: duration, http }) {
  const known = (value) => value !== undefined && value !== null;
  const rows = [
    [
      "Workers",
      words.count(generator.workers),
      `threads that ran journeys, in ${words.count(generator.runners)} ` +
        (generator.runners === 1 ? "process" : "processes"),
    ],
  ];
  const add = (value, name, text, tells) => {
    if (known(value)) rows.push([name, text(value), tells]);
  };
  add(
    generator.busiest_worker_cpu,
    "Busiest worker",
    words.percent,
    "of its core, used by its work",
  );
  add(
    generator.loop_lag.p99,
    "Loop lag p99",
    words.time,
    "how much later than due the workers' loops came round",
  );
  add(generator.loop_lag.max, "Loop lag max", words.time, "the longest of these");
  add(
    generator.cpu_seconds,
    "Processor time",
    (seconds) => words.number(seconds) + "s",
    duration > 0 ? `${words.number(generator.cpu_seconds / duration)} processors on average` : "",
  );
  add(generator.machine_cpu, "Machine", words.percent, "of its processors in use, by whomever");
  add(
    generator.steal_seconds,
    "Stolen",
    (seconds) => words.number(seconds) + "s",
    "processor time that the host gave to others",
  );
  add(
    generator.throttled,
    "Throttled",
    words.percent,
    "periods in which the container's CPU limit stopped the generator",
  );
  add(generator.peak_rss_bytes, "Memory", words.bytes, "the most that one process held");
  add(
    generator.memory_left_bytes,
    "Memory left",
    words.bytes,
    "the least that was left to the machine or container",
  );
  add(
    generator.open_files,
    "Open files",
    words.count,
    known(generator.open_files_limit)
      ? `the most at a time, of ${words.count(generator.open_files_limit)} allowed`
      : "the most at a time",
  );
  add(
    generator.tcp_sockets,
    "TCP sockets",
    words.count,
    "the most of the machine at a time, closed ones that still hold their port included",
  );
  add(
    generator.local_ports,
    "Local ports",
    words.count,
    "for connections from one address to one server",
  );
  add(generator.retransmitted, "Sent again", words.percent, "of the machine's TCP segments");
  const own = generator.own_errors ?? {};
  const lacks = Object.entries(own).filter(([, count]) => count > 0);
  if (lacks.length > 0)
    rows.push([
      "Connections not opened",
      words.count(sum(lacks.map(([, count]) => count))),
      "for want of " + lacks.map(([what, count]) => `${what} (${words.count(count)})`).join(", "),
    ]);
  const { connections, versions = {} } = http;
  if (connections.opened + connections.failed > 0) {
    const facts = [`${words.plural(connections.reused, "request")} over kept ones`];
    if (connections.tls_handshakes > 0)
      facts.push(
        `${words.count(connections.tls_handshakes)} with TLS, ` +
          `${words.count(connections.tls_resumed)} of them resumed`,
      );
    if (connections.failed > 0) facts.push(`${words.count(connections.failed)} attempts failed`);
    if (connections.fallbacks > 0)
      facts.push(`${words.plural(connections.fallbacks, "fallback")} to another address`);
    rows.push(["Connections opened", words.count(connections.opened), facts.join("; ")]);
  }
  const spoken = Object.entries(versions);
  if (spoken.length > 0)
    rows.push([
      "Requests by version",
      spoken.map(([version, count]) => `${words.count(count)} × ${version}`).join(", "),
      "",
    ]);
  return rows;
}
