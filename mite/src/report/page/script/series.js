// The series of a run by name, in stretches of time, and which of them got slow.

const keyOf = (row) =>
  JSON.stringify([row.kind, row.journey, row.transaction, row.method, row.name]);

// The series of a report by name, with all that is told of them; made once for each report.
const seriesOf = remembered((report) => {
  const { batches } = report;
  if (!batches) return [];
  const offset = Math.ceil(report.series.warm_up_seconds ?? 0);
  const names = shortNames(report);
  return batches.rows.map((row) => {
    const onset = onsetOf(row, batches, offset);
    return {
      ...row,
      key: keyOf(row),
      label: labelOf(row, names),
      onset,
      slower: onset === null ? null : onset.slow / onset.before,
      all: sum(row.count),
      failed: sum(row.errors),
      time: totalsOf(row, report),
    };
  });
});

function remembered(make) {
  const made = new WeakMap();
  return (report) => {
    // A page that follows a run has another report each second, and other stretches less often.
    const key = report.batches ?? report;
    if (!made.has(key)) made.set(key, make(report));
    return made.get(key);
  };
}

function labelOf(row, names) {
  if (row.kind === "run") return "all journeys";
  if (row.kind === "http") return "all requests";
  if (row.kind === "request") return requestLabel({ method: "", ...row });
  return names.place({ transaction: "", ...row });
}

// The times of the whole run, as the other tables have them.
function totalsOf(row, report) {
  if (row.kind === "http") return report.http.time;
  if (row.kind === "request") {
    const same = (other) => other.name === row.name && other.method === (row.method ?? "");
    return report.http.requests_by_name.find(same)?.time ?? {};
  }
  if (row.kind === "transaction") {
    const same = (other) =>
      other.journey === row.journey && other.transaction === (row.transaction ?? "");
    return report.transactions.find(same)?.time ?? {};
  }
  const rows = report.journeys.filter((other) => other.journey === row.journey);
  return rows.length === 1 ? rows[0].response_time : {};
}

// What got slow first, and most.
const bySlowness = (one, other) =>
  (other.slower ?? 0) - (one.slower ?? 0) || (other.time.p95 ?? 0) - (one.time.p95 ?? 0);

const KINDS_OF_NAMES = [
  ["request", "Requests"],
  ["transaction", "Transactions"],
  ["journey", "Journeys, by response time"],
];

// What got slow among the most telling kind of names there is, and before it all of the run.
function gotSlow(report) {
  const all = seriesOf(report);
  const [kind] = KINDS_OF_NAMES.find(([kind]) => all.some((row) => row.kind === kind)) ?? [];
  const whole = kind === "request" ? "http" : "run";
  const slow = all.filter(({ onset }) => onset !== null);
  return [
    ...slow.filter((row) => row.kind === whole),
    ...slow.filter((row) => row.kind === kind).sort(bySlowness),
  ];
}
