// Numbers as people read them: three digits that matter, and their unit.

const grouped = (number) => Math.round(number).toLocaleString("en-US");

function threeDigits(amount) {
  if (amount >= 999.5) return grouped(amount);
  if (amount >= 99.95) return amount.toFixed(0);
  if (amount >= 9.995) return amount.toFixed(1);
  if (amount >= 0.995) return amount.toFixed(2);
  if (amount <= 0) return "0";
  return amount.toFixed(Math.min(9, 2 - Math.floor(Math.log10(amount))));
}

const words = {
  count: (count) => grouped(count),

  time(seconds) {
    const micros = seconds * 1e6;
    if (micros <= 0) return "0ms";
    if (micros < 0.9995) return "<1µs";
    if (micros < 999.5) return threeDigits(micros) + "µs";
    if (seconds < 0.9995) return threeDigits(seconds * 1e3) + "ms";
    return threeDigits(seconds) + "s";
  },

  // A moment as the report writes it, for people.
  moment: (utc) => utc.replace("T", " ").replace("Z", " UTC"),

  rate: (perSecond) => (perSecond <= 0 ? "0" : threeDigits(perSecond)),

  number(number) {
    if (number < 0) return "-" + words.number(-number);
    if (number >= 99.95) return grouped(number);
    const text = threeDigits(number);
    return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  },

  percent: (share) => words.number(share * 100) + " %",

  share(share) {
    const percent = share * 100;
    return percent > 0 && percent < 0.05 ? "<0.1 %" : percent.toFixed(1) + " %";
  },

  bytes(bytes) {
    const units = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if (bytes < 1024) return bytes + " B";
    let amount = bytes / 1024;
    while (amount >= 1023.5 && units.length > 1) {
      amount /= 1024;
      units.shift();
    }
    return (amount >= 999.5 ? grouped(amount) : threeDigits(amount)) + " " + units[0];
  },

  // How long something lasted: 0.4s, 12.0s, 1m05s, 2h00m.
  span(seconds) {
    if (seconds < 59.95) return seconds.toFixed(1) + "s";
    const two = (number) => String(number).padStart(2, "0");
    if (seconds < 3600) {
      const whole = Math.round(seconds);
      return Math.floor(whole / 60) + "m" + two(whole % 60) + "s";
    }
    const minutes = Math.floor(seconds / 60);
    return Math.floor(minutes / 60) + "h" + two(minutes % 60) + "m";
  },

  // An age of the run: 0:12, 61:05, 2:00:00.
  clock(seconds) {
    const two = (number) => String(number).padStart(2, "0");
    const whole = Math.floor(seconds + 1e-6);
    const minutes = Math.floor(whole / 60);
    if (minutes < 100) return minutes + ":" + two(whole % 60);
    return Math.floor(minutes / 60) + ":" + two(minutes % 60) + ":" + two(whole % 60);
  },

  plural: (count, one) => grouped(count) + " " + one + (count === 1 ? "" : "s"),

  // What a threshold measured, in the unit its bound was written in.
  measured({ expression, value }) {
    if (value === null || value === undefined) return "no sample";
    const bound = expression.slice(expression.lastIndexOf("}") + 1).split(/[<>=]=?/)[1] ?? "";
    const unit = bound.replace(/^[\d.,_ -]+/, "");
    if (unit.startsWith("%")) return words.percent(value);
    return /^[numsh\u00b5\u03bc]/.test(unit) ? words.time(value) : words.number(value);
  },

  // What is too long to be read is cut; nobody needs the rest of a name of a megabyte.
  cut: (text, most = 300) => (text.length > most ? text.slice(0, most) + "…" : text),
};

// The shortest end of each journey's name that tells it from the others.
function shortNames(report) {
  const all = new Set();
  for (const rows of [report.journeys, report.transactions, report.errors, report.findings ?? []]) {
    for (const row of rows) all.add(row.journey);
  }
  // How many names there are for each possible end.
  const ends = new Map();
  const endsOf = (name) => name.split("::").map((_, at, parts) => parts.slice(at).join("::"));
  for (const name of all) for (const end of endsOf(name)) ends.set(end, (ends.get(end) ?? 0) + 1);
  const short = (name) =>
    endsOf(name)
      .reverse()
      .find((end) => ends.get(end) === 1) ?? name;
  const found = new Map([...all].map((name) => [name, short(name)]));
  const journey = (name) => found.get(name) ?? name;
  return {
    journey,
    entry: (row) => journey(row.journey) + (row.entry === undefined ? "" : ` #${row.entry}`),
    place: (row) =>
      row.transaction
        ? journey(row.journey) + " › " + row.transaction.replaceAll(" :: ", " › ")
        : journey(row.journey),
  };
}

// The name of a request with its method before it, unless it begins with that.
const requestLabel = ({ name, method }) =>
  method === "" || name.startsWith(method + " ") ? name : method + " " + name;

// How long was measured: without the warm-up.
const measuredSeconds = (report) =>
  Math.max(0, report.duration_seconds - (report.series.warm_up_seconds ?? 0));

const sum = (numbers) => [...numbers].reduce((all, number) => all + number, 0);
