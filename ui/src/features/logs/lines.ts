/** Log lines as this view has them, and the request for a page of them. */

import { answered, api } from "~/lib/http";
import type { Shapes } from "~/lib/http";
import { secondsOf } from "~/lib/times";

export const LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] as const;
export type Level = (typeof LEVELS)[number];

export interface Line {
  /** Its place in the order of arrival; grows, with gaps. */
  number: number;
  /** Unix seconds. */
  at: number;
  level: string;
  run: string;
  /** Id of the task run that logged it; "" for the flow itself. */
  task: string;
  logger: string;
  text: string;
}

/** Some lines, oldest first; see `LogPage` of the server. */
export interface Page {
  lines: Line[];
  after: number;
  before: number | null;
  more: boolean;
  first: number;
  last: number;
}

/** Which lines. */
export interface LineFilter {
  level?: string;
  text?: string;
  /** Id of a task run. */
  task?: string;
  since?: string;
  until?: string;
}

export interface Direction {
  after?: number;
  before?: number;
  limit: number;
}

export async function readPage(run: string, filter: LineFilter, where: Direction, signal?: AbortSignal): Promise<Page> {
  const query = {
    ...where,
    level: LEVELS.find((level) => level === filter.level),
    text: filter.text || undefined,
    task: filter.task || undefined,
    since: filter.since || undefined,
    until: filter.until || undefined,
  };
  return pageOf(await answered(api.GET("/api/flow-runs/{run}/logs", { params: { path: { run }, query }, signal })));
}

export function pageOf(page: Shapes["LogPage"]): Page {
  return { ...page, lines: page.lines.map(lineOf) };
}

function lineOf(line: Shapes["LogShape"]): Line {
  return { ...line, at: secondsOf(line.at), task: line.task ?? "" };
}
