// What went wrong: errors with their places and what they said.

// So many messages of an error are shown at once.
const SAMPLES = 3;

function errorsPart() {
  let names;
  let all;
  const table = new Table({
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
