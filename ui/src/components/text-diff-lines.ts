/** What changed between two texts, line by line. */

export interface DiffLine {
  /** Line numbers from 1; 0 where the line is not in that text. */
  before: number;
  after: number;
  text: string;
}

/** Steps of comparing beyond which texts are told to differ wholly: their middle is shown as taken away and added. */
const MOST_STEPS = 2_000_000;

/** The lines of both texts, in order: those taken away stand before those added in their place. */
export function diffLines(before: string, after: string): DiffLine[] {
  const [old, fresh] = [linesOf(before), linesOf(after)];
  let start = 0;
  while (start < old.length && start < fresh.length && old[start] === fresh[start]) start += 1;
  let [oldEnd, freshEnd] = [old.length, fresh.length];
  while (oldEnd > start && freshEnd > start && old[oldEnd - 1] === fresh[freshEnd - 1]) {
    oldEnd -= 1;
    freshEnd -= 1;
  }
  const lines: DiffLine[] = [];
  for (let n = 0; n < start; n += 1) lines.push({ before: n + 1, after: n + 1, text: old[n]! });
  for (const [a, b] of pairs(old.slice(start, oldEnd), fresh.slice(start, freshEnd))) {
    lines.push({
      before: a < 0 ? 0 : start + a + 1,
      after: b < 0 ? 0 : start + b + 1,
      text: a < 0 ? fresh[start + b]! : old[start + a]!,
    });
  }
  for (let n = 0; oldEnd + n < old.length; n += 1)
    lines.push({ before: oldEnd + n + 1, after: freshEnd + n + 1, text: old[oldEnd + n]! });
  return lines;
}

function linesOf(text: string): string[] {
  return text === "" ? [] : text.replace(/\r?\n$/, "").split(/\r?\n/);
}

/** Places of lines in both, by their longest common part; -1 where a line is in the other alone. */
function pairs(old: readonly string[], fresh: readonly string[]): [number, number][] {
  const apart: [number, number][] = [
    ...old.map((_, n): [number, number] => [n, -1]),
    ...fresh.map((_, n): [number, number] => [-1, n]),
  ];
  if (!old.length || !fresh.length || old.length * fresh.length > MOST_STEPS) return apart;
  const wide = fresh.length + 1;
  const common = new Uint16Array((old.length + 1) * wide);
  for (let a = old.length - 1; a >= 0; a -= 1) {
    for (let b = fresh.length - 1; b >= 0; b -= 1) {
      common[a * wide + b] =
        old[a] === fresh[b]
          ? common[(a + 1) * wide + b + 1]! + 1
          : Math.max(common[(a + 1) * wide + b]!, common[a * wide + b + 1]!);
    }
  }
  const found: [number, number][] = [];
  let [a, b] = [0, 0];
  while (a < old.length || b < fresh.length) {
    if (a < old.length && b < fresh.length && old[a] === fresh[b]) found.push([a++, b++]);
    else if (a < old.length && (b >= fresh.length || common[(a + 1) * wide + b]! >= common[a * wide + b + 1]!))
      found.push([a++, -1]);
    else found.push([-1, b++]);
  }
  return found;
}

/** Lines around those that changed; `null` stands for some that are left out. */
export function nearChanges(lines: readonly DiffLine[], around = 3): (DiffLine | null)[] {
  const keep = new Set<number>();
  lines.forEach((line, n) => {
    if (line.before && line.after) return;
    for (let at = n - around; at <= n + around; at += 1) keep.add(at);
  });
  const shown: (DiffLine | null)[] = [];
  lines.forEach((line, n) => {
    if (keep.has(n)) shown.push(line);
    else if (shown.at(-1) !== null) shown.push(null);
  });
  return shown;
}
