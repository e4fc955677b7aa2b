/** Task runs as a table for other programs. */

import { took } from "~/data/tasks";
import type { TaskRow } from "~/data/tasks";
import { csv } from "~/lib/csv";
import { utc } from "~/lib/times";
import { waitedOf, whyOf } from "./arranging";
import type { Facts } from "./arranging";

const COLUMNS = (
  "id name task map_index subflow state state_name attempts " +
  "created started ended waited_seconds took_seconds why message"
).split(" ");

export function csvOf(rows: readonly TaskRow[], facts: Facts): string {
  return csv(
    COLUMNS,
    rows.map((row) => [
      row.id,
      text(row.name),
      text(row.task),
      row.mapIndex < 0 ? null : row.mapIndex,
      text(facts.subflowOf(row)),
      row.state,
      text(row.stateName),
      row.attempt,
      ...[row.created, row.started, row.ended].map((time) => (time ? utc(time) : null)),
      seconds(waitedOf(row, facts.now)),
      row.started ? seconds(took(row, facts.now)) : null,
      text(whyOf(row, facts)),
      text(row.message),
    ]),
  );
}

function seconds(value: number): string | null {
  return value < 0 ? null : value.toFixed(6);
}

/** A program for tables must not take what a run wrote for a formula. */
function text(told: string): string | null {
  return /^[=+\-@\t\r]/.test(told) ? `'${told}` : told || null;
}
