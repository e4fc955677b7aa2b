/** From pieces of work to rows under each other. Whatever is drawn, pressed or read out is found in them. */

import { laneOf, packed } from "./lanes";
import type { Lane } from "./lanes";
import { beginOf } from "./model";
import type { AllTried, Piece } from "./model";

/**
 * How rows are put together. "task": the runs of each task. "flow": what each subflow called. "lanes": everything in as
 * many lanes as ran at once. "start": each for itself, as they began.
 */
export const ARRANGEMENTS = ["task", "flow", "lanes", "start"] as const;
export type Arrangement = (typeof ARRANGEMENTS)[number];

export interface Row {
  /** "group": several pieces, folded into lanes or with rows of their own below. "lane": one of all lanes. */
  kind: "group" | "piece" | "lane";
  key: string;
  label: string;
  depth: number;
  /** Pixels. */
  y: number;
  height: number;
  /** Of a piece, or the subflow run that a group stands for. */
  piece?: Piece;
  /** Of a group. */
  pieces: readonly Piece[];
  isOpen: boolean;
  /** What is drawn in it, under each other. */
  lanes: Lane[];
}

export interface Layout {
  rows: Row[];
  height: number;
  /** Where a piece is, or the group that it is folded into. */
  rowOf: (piece: string) => number | undefined;
}

export interface Arranging {
  by: Arrangement;
  tried: AllTried;
  /** Whether a group has rows of its own, of so many pieces. */
  isOpen: (key: string, count: number) => boolean;
  rowHeight: number;
  /** Pixels that there are: lanes of folded groups are as high as they can be without anything to scroll. */
  room: number;
}

/** Pixels of a lane within a folded group, by how many there are. */
function laneHeight(lanes: number, rowHeight: number): number {
  return lanes <= 1 ? rowHeight - 8 : lanes <= 3 ? 7 : lanes <= 12 ? 5 : lanes <= 40 ? 4 : 3;
}

/** Pixels above and below the lanes of a folded group. */
export const GROUP_MARGIN = 5;

export function layOut(pieces: readonly Piece[], how: Arranging): Layout {
  const begins = new Map(pieces.map((piece) => [piece.id, beginOf(piece, how.tried.get(piece.id))]));
  const sorted = [...pieces].sort((a, b) => begins.get(a.id)! - begins.get(b.id)! || (a.id < b.id ? -1 : 1));
  const rows: Row[] = [];
  if (how.by === "start") addPieces(rows, sorted, how, 0);
  else if (how.by === "lanes") addLanes(rows, sorted, how);
  else if (how.by === "flow") addFlows(rows, sorted, how);
  else addTasks(rows, sorted, how);
  stretch(rows, how);
  let height = 0;
  for (const row of rows) {
    row.y = height;
    height += row.height;
  }
  return { rows, height, rowOf: placesOf(rows) };
}

function stretch(rows: readonly Row[], how: Arranging): void {
  const folded = rows.filter((row) => row.kind === "group" && !row.isOpen && row.lanes.length > 0);
  const lanes = folded.reduce((sum, row) => sum + row.lanes.length, 0);
  const spare = how.room - rows.reduce((sum, row) => sum + row.height, 0);
  if (spare <= 0 || !lanes) return;
  for (const row of folded) {
    const most = row.lanes.length * (how.rowHeight - 4) + 2 * GROUP_MARGIN;
    row.height = Math.max(row.height, Math.min(most, row.height + Math.floor(spare / lanes) * row.lanes.length));
  }
}

/** The row at a height, by halving; -1 outside of all. */
export function rowAt(rows: readonly Row[], y: number): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle]!.y <= y) low = middle + 1;
    else high = middle;
  }
  const row = rows[low - 1];
  return row && y < row.y + row.height ? low - 1 : -1;
}

function addPieces(rows: Row[], pieces: readonly Piece[], how: Arranging, depth: number): void {
  for (const piece of pieces) {
    const row = rowOf("piece", piece.id, piece.name, depth, how.rowHeight);
    rows.push({ ...row, piece, lanes: [laneOf(piece, how.tried.get(piece.id))] });
  }
}

function rowOf(kind: Row["kind"], key: string, label: string, depth: number, height: number): Row {
  return { kind, key, label, depth, y: 0, height, pieces: [], isOpen: false, lanes: [] };
}

function addLanes(rows: Row[], pieces: readonly Piece[], how: Arranging): void {
  const tasks = pieces.filter((piece) => !piece.isFlow);
  for (const [n, lane] of packed(tasks, how.tried).entries())
    rows.push({ ...rowOf("lane", `lane ${n}`, String(n + 1), 0, how.rowHeight), lanes: [lane] });
}

function addGroup(rows: Row[], key: string, label: string, pieces: readonly Piece[], how: Arranging, depth: number) {
  const isOpen = how.isOpen(key, pieces.length);
  const lanes = isOpen ? [] : packed(pieces, how.tried);
  const wanted = lanes.length * laneHeight(lanes.length, how.rowHeight) + 2 * GROUP_MARGIN;
  const height = isOpen ? how.rowHeight : Math.max(how.rowHeight, wanted);
  const row: Row = { ...rowOf("group", key, label, depth, height), pieces, isOpen, lanes };
  rows.push(row);
  return row;
}

function addTasks(rows: Row[], pieces: readonly Piece[], how: Arranging): void {
  for (const [key, members] of groupedBy(pieces, (piece) => (piece.isFlow ? `flow ${piece.task}` : piece.task))) {
    if (members.length === 1) addPieces(rows, members, how, 0);
    else if (addGroup(rows, key, members[0]!.task, members, how, 0).isOpen) addPieces(rows, members, how, 1);
  }
}

function addFlows(rows: Row[], pieces: readonly Piece[], how: Arranging): void {
  const flows = new Map(pieces.filter((piece) => piece.isFlow).map((piece) => [piece.id, piece]));
  const children = groupedBy(pieces, (piece) => (flows.has(piece.run) ? piece.run : ""));
  const all = (id: string): Piece[] =>
    (children.get(id) ?? []).flatMap((one) => [one, ...(one.isFlow ? all(one.id) : [])]);
  const add = (id: string, depth: number): void => {
    for (const piece of children.get(id) ?? []) {
      if (!piece.isFlow) addPieces(rows, [piece], how, depth);
      else {
        const below = all(piece.id);
        const group = addGroup(
          rows,
          piece.id,
          piece.name,
          below.filter((one) => !one.isFlow),
          how,
          depth,
        );
        group.piece = piece;
        if (group.isOpen) {
          group.lanes = [laneOf(piece, undefined)];
          add(piece.id, depth + 1);
        }
      }
    }
  };
  add("", 0);
}

function groupedBy(pieces: readonly Piece[], keyOf: (piece: Piece) => string): Map<string, Piece[]> {
  const groups = new Map<string, Piece[]>();
  for (const piece of pieces) {
    const key = keyOf(piece);
    const group = groups.get(key);
    if (group) group.push(piece);
    else groups.set(key, [piece]);
  }
  return groups;
}

/** Made when it is first asked for: most of the time nobody asks. */
function placesOf(rows: readonly Row[]): Layout["rowOf"] {
  let places: Map<string, number> | undefined;
  return (piece) => {
    if (!places) {
      places = new Map();
      for (const [n, row] of rows.entries()) {
        for (const one of row.isOpen ? [] : row.pieces) places.set(one.id, n);
        if (row.kind === "lane") for (const one of row.lanes[0]!.pieces) places.set(one.id, n);
        if (row.piece) places.set(row.piece.id, n);
      }
    }
    return places.get(piece);
  };
}
