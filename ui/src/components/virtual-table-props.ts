/** What a long table is given, and what can be asked of it. */

import type { JSX } from "solid-js";

export interface Column<Row> {
  key: string;
  title: string;
  /** As a grid has it: "minmax(120px, 2fr)", "90px". */
  width: string;
  cell: (row: Row) => JSX.Element;
  /** In place of the title, which then is read to those who do not see it. */
  head?: () => JSX.Element;
  /** Whether the numbers in it stand under each other. */
  right?: boolean;
  /** Whether it can be sorted by. */
  sorts?: boolean;
  /** Pixels that the table must have for it to be shown. */
  from?: number;
  /** The same as `from` a usual width. */
  wideOnly?: boolean;
}

export interface Sorting {
  key: string;
  descending: boolean;
}

/** What can be asked of a table from outside. */
export interface TableHandle<Row> {
  /** The row that keys are for. */
  active: () => Row | undefined;
  /** Go some rows down, or up, and take the focus. */
  step: (by: number) => void;
  toTop: () => void;
  /** Pixels that it is scrolled by. */
  top: () => number;
}

export interface TableProps<Row> {
  label: string;
  rows: readonly Row[];
  columns: Column<Row>[];
  rowKey: (row: Row) => string;
  /** For rows that are changed in place: a number that is another one then. */
  rowChange?: (row: Row) => number;
  /** Pixels; as one has chosen for all tables unless told. */
  rowHeight?: number;
  /** What a row is where the table is narrower than `cardBelow` pixels, in place of columns, and its height. */
  card?: (row: Row) => JSX.Element;
  cardBelow?: number;
  cardHeight?: number;
  /** By click or Enter. */
  onOpen?: (row: Row, event: MouseEvent | KeyboardEvent) => void;
  isSelected?: (row: Row) => boolean;
  sorting?: Sorting;
  onSort?: (sorting: Sorting) => void;
  /** Asked for when the end comes near. */
  onEnd?: () => void;
  /** Whether there are more rows than these. */
  more?: boolean;
  /** Pixels from the top at which it begins. */
  startAt?: number;
  /** What the rows are of; when that is something else, the table goes to its top. */
  listKey?: string;
  /** Whether what one reads stays where it is while rows come above it. */
  anchored?: boolean;
  /** What is said of rows that came above what one reads: "3 new runs". */
  newRows?: (count: number) => string;
  handle?: (handle: TableHandle<Row>) => void;
  /** In place of rows, where there are none. */
  empty?: JSX.Element;
  /** Below the last row. */
  footer?: JSX.Element;
}
