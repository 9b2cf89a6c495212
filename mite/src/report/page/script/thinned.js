// A long run in a narrow picture.

// Of each column of the picture the first, the least, the largest and the last point, so that no
// peak is lost.
function thinned(line, points, x) {
  const kept = [];
  let column = null;
  let group = null;
  const close = () => {
    if (!group) return;
    const chosen = [...new Set([group.first, group.least, group.most, group.last])];
    kept.push(...chosen.sort((one, other) => one.at - other.at));
    group = null;
  };
  for (const point of points) {
    const value = line.of(point);
    const here = Math.floor(x(point.at));
    if (here !== column) {
      if (column !== null && !group) kept.push(null);
      close();
      column = here;
    }
    if (typeof value !== "number") continue;
    group ??= { first: point, least: point, most: point };
    if (value < line.of(group.least)) group.least = point;
    if (value > line.of(group.most)) group.most = point;
    group.last = point;
  }
  close();
  return kept;
}
