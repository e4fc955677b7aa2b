/** What a node says of itself. Pure. */

import { count } from "~/lib/numbers";
import { lookOf } from "~/lib/state";
import type { NodeShape, ShownNode } from "./shown";
import { counted, progress, shining, spans } from "./tally";
import type { Tally } from "./tally";
import { isMany } from "./sizes";

/** Characters of a name in a sentence. */
const MOST = 300;

/** The second line of a node. */
export function lower(shown: ShownNode, tally: Tally, now: number): string {
  const { node } = shown;
  if (!tally.state) return node.remark || (node.is_map ? "for each item" : node.is_flow ? "subflow" : "");
  if (isMany(shown) && counted(tally).total) return progress(tally);
  const took = spans(tally, now);
  const name = tally.stateName || lookOf(tally.state).label;
  return tally.state === "COMPLETED" && name === "Completed" && took ? took : [name, took].filter(Boolean).join(" · ");
}

/** A whole sentence about a node, for titles and screen readers. */
export function said(node: NodeShape, tally: Tally, now: number): string {
  const name = node.name.slice(0, MOST);
  const kind = node.is_flow ? "subflow" : node.is_parameter ? "parameter" : node.is_map ? "map" : "";
  const what = [name, kind && `(${kind})`, node.count > 1 && `×${count(node.count)}`].filter(Boolean).join(" ");
  if (!tally.state) return [what, node.remark.slice(0, MOST)].filter(Boolean).join(": ");
  const label = node.count > 1 ? lookOf(tally.state).label : tally.stateName || lookOf(tally.state).label;
  const counts = node.count > 1 || node.is_flow ? progress(tally) : "";
  const inside = shining(tally) === tally.state ? "" : `${lookOf(shining(tally)).label.toLowerCase()} inside`;
  return `${what}: ${[label, inside, counts, spans(tally, now)].filter(Boolean).join(", ")}`;
}
