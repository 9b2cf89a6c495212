// When a series of times became slower, where that can be said.

// So many stretches have to be known before one can be told to be slower than they were.
const KNOWN_BEFORE = 8;
// So many in a row have to be slower: few that are much slower, or more that are less so.
const IN_A_ROW = [3, 6, 12];
// They are slow when they take so many times as long as those before …
const TIMES_SLOWER = 2;
// … and that is so many times what chance makes of stretches that are as unsteady, and hang together
// as much, as those before.
const BEYOND_CHANCE = 5;
// Percentiles of fewer samples say little: such stretches are taken together.
const LEAST_SAMPLES = 20;

// { at, until, before, slow }: from when to when, by age of the run, the times were about `slow` and
// no longer about `before`; `until` is null when they stayed so. Null when nothing can be said.
function onsetOf(row, batches, offset) {
  const points = settled(row);
  const before = new Steady();
  for (let at = 0; at + IN_A_ROW[0] <= points.length; at += 1) {
    if (at >= KNOWN_BEFORE && IN_A_ROW.some((length) => isSlower(points, at, length, before)))
      return told(points, at, before, (stretch) => offset + stretch * batches.seconds);
    before.add(points[at].log);
  }
  return null;
}

// The p95 of each stretch, or of several that are too poor alone.
function settled(row) {
  const points = [];
  let open = null;
  for (let stretch = 0; stretch < row.count.length; stretch += 1) {
    const good = row.count[stretch] - row.errors[stretch];
    const time = row.p95[stretch];
    if (!(good > 0) || typeof time !== "number") continue;
    open ??= { from: stretch, samples: 0, sum: 0 };
    open.samples += good;
    open.sum += good * time;
    if (open.samples < LEAST_SAMPLES) continue;
    const mean = Math.max(open.sum / open.samples, 1e-6);
    points.push({ from: open.from, log: Math.log(mean), samples: open.samples });
    open = null;
  }
  return points;
}

// How a series was so far: its mean, how much it varies, and how much each value is like the last.
class Steady {
  constructor() {
    this.sorted = [];
    this.first = this.last = null;
    this.sum = this.squares = this.products = 0;
  }

  add(value) {
    let place = this.sorted.length;
    while (place > 0 && this.sorted[place - 1] > value) place -= 1;
    this.sorted.splice(place, 0, value);
    if (this.last !== null) this.products += this.last * value;
    this.first ??= value;
    this.last = value;
    this.sum += value;
    this.squares += value * value;
  }

  get count() {
    return this.sorted.length;
  }

  get mean() {
    return this.sum / this.count;
  }

  rank(share) {
    return this.sorted[Math.floor(share * (this.count - 1))];
  }

  // The standard error of the difference to the mean of the next ones, were they like these: by the
  // autocorrelation at lag 1, corrected for its bias in short series (Kendall, Biometrika 41, 1954).
  error(length) {
    const { count, mean } = this;
    const variance = Math.max(0, this.squares / count - mean * mean);
    const around =
      this.products - mean * (2 * this.sum - this.first - this.last) + (count - 1) * mean * mean;
    const seen = variance > 0 ? around / count / variance : 0;
    const lag = Math.min(0.95, Math.max(0, seen + (1 + 4 * seen) / count));
    const spread = Math.max(0.05, Math.sqrt(variance));
    return spread * Math.sqrt(((1 + lag) / (1 - lag)) * (1 / length + 1 / count));
  }
}

function isSlower(points, at, length, before) {
  const next = points.slice(at, at + length);
  const high = before.rank(0.9);
  if (next.length < length || next.some(({ log }) => log <= high)) return false;
  const more = sum(next.map(({ log }) => log)) / length - before.mean;
  // It begins with one that is nearer to them than to what was before.
  if (next[0].log - before.mean < more / 2) return false;
  return more >= Math.log(TIMES_SLOWER) && more >= BEYOND_CHANCE * before.error(length);
}

const middleOf = (values) => [...values].sort((one, other) => one - other)[values.length >> 1];

function told(points, at, before, age) {
  const high = Math.max(before.rank(0.9), before.mean + Math.log(TIMES_SLOWER) / 2);
  let end = at + IN_A_ROW[0];
  const isBack = (from) => {
    const next = points.slice(from, from + IN_A_ROW[0]);
    return next.length > 0 && next.every(({ log }) => log <= high);
  };
  while (end < points.length && !isBack(end)) end += 1;
  const slow = middleOf(points.slice(at, end).map(({ log }) => log));
  return {
    at: age(points[at].from),
    until: end < points.length ? age(points[end].from) : null,
    before: Math.exp(before.rank(0.5)),
    slow: Math.exp(slow),
  };
}

// `p95 250ms from 2:31 on, 12.0ms before`.
const onsetWords = ({ at, until, before, slow }) =>
  `p95 ${words.time(slow)} from ${words.clock(at)} ` +
  `${until === null ? "on" : "to " + words.clock(until)}, ${words.time(before)} before`;
