// The series of a run by name, in stretches of time, and which of them got slow.

const keyOf = (row) =>
  JSON.stringify([row.kind, row.journey, row.transaction, row.method, row.name]);

// The series of a report by name, with all that is told of them; made once for each report.
const seriesOf = remembered((report) => {
  const { batches } = report;
  if (!batches) return [];
  const offset = Math.ceil(report.series.warm_up_seconds ?? 0);
  const names = shortNames(report);
  const timesOf = totalsOf(report);
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
      time: timesOf(row),
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

// Tells of a series the times of the whole run, as the other tables have them.
function totalsOf(report) {
  const nameOf = ({ name, method = "" }) => JSON.stringify([name, method]);
  const placeOf = ({ journey, transaction = "" }) => JSON.stringify([journey, transaction]);
  const timesBy = (key, rows) => new Map(rows.map((row) => [key(row), row.time]));
  const requests = timesBy(nameOf, report.http.requests_by_name);
  const transactions = timesBy(placeOf, report.transactions);
  return (row) => {
    if (row.kind === "http") return report.http.time;
    if (row.kind === "request") return requests.get(nameOf(row)) ?? {};
    if (row.kind === "transaction") return transactions.get(placeOf(row)) ?? {};
    const entries = report.journeys.filter(({ journey }) => journey === row.journey);
    return entries.length === 1 ? entries[0].response_time : {};
  };
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
