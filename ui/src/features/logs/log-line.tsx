/** One line of the log. Whatever it holds is text. */

import { For, Show } from "solid-js";
import { plural } from "~/lib/numbers";
import { utc } from "~/lib/times";
import { css } from "./colours";
import { cutText } from "./cut-text";
import type { Cut } from "./cut-text";
import { fullTime, timeText } from "./line-text";
import type { Times } from "./line-text";
import type { Line } from "./lines";
import { piecesOf } from "./pieces";
import type { Ink, Look, Piece } from "./pieces";
import styles from "./log-line.module.css";

/** Characters of a name or a link that a title shows. */
const TITLE = 500;

/** What is the same for all lines. */
export interface LineSettings {
  times: Times;
  /** When the run began, in Unix seconds. */
  began: number;
  query: string;
  /** Whether it is said who logged a line. */
  names: boolean;
  nameOf: (line: Line) => string;
}

export function LogLine(props: {
  line: Line;
  settings: LineSettings;
  marked: boolean;
  opened: boolean;
  onMark: () => void;
  onOpen: () => void;
  onTask: () => void;
}) {
  const cut = () => cutText(props.line.text, props.opened);
  const name = () => props.settings.nameOf(props.line);
  return (
    <div
      class={styles.line}
      classList={{ [styles.marked!]: props.marked }}
      data-number={props.line.number}
      data-level={props.line.level}
    >
      <span class={styles.gutter}>
        <button
          type="button"
          class={styles.number}
          tabIndex={-1}
          title={`Line ${props.line.number}: link to it`}
          aria-label={`Link to line ${props.line.number}`}
          onClick={() => props.onMark()}
        >
          {props.line.number}
        </button>
        <Show when={props.settings.times !== "none" && props.line.at}>
          <time class={styles.time} dateTime={utc(props.line.at)} title={fullTime(props.line.at)}>
            {timeText(props.line.at, props.settings.times, props.settings.began)}
          </time>
        </Show>
        <span class={styles.level}>{props.line.level}</span>
      </span>
      <Show when={props.settings.names}>
        <Show when={props.line.task} fallback={<span class={`${styles.who} cut`}>{name()}</span>}>
          <button
            type="button"
            class={`${styles.who} cut`}
            tabIndex={-1}
            title={name().slice(0, TITLE)}
            onClick={() => props.onTask()}
          >
            {name()}
          </button>
        </Show>
      </Show>
      <span class={styles.text}>
        <For each={piecesOf(cut().text, props.settings.query)}>{(piece) => <PieceOf piece={piece} />}</For>
        <Show when={cut().characters}>
          <button type="button" class={styles.more} onClick={() => props.onOpen()}>
            Show all ({leftOut(cut())})
          </button>
        </Show>
      </span>
    </div>
  );
}

function leftOut(cut: Cut): string {
  return cut.lines ? plural(cut.lines, "more line") : plural(cut.characters, "more character");
}

function PieceOf(props: { piece: Piece }) {
  // A piece never changes: what it needs is decided once, and most are plain text.
  const { text, look, href, isMatch, control } = props.piece;
  if (!look && !href && !isMatch && !control) return text;
  const inner = href ? (
    <a href={href} target="_blank" rel="noopener noreferrer" title={href.slice(0, TITLE)} tabIndex={-1}>
      {text}
    </a>
  ) : (
    text
  );
  const told = isMatch ? <mark class={styles.match}>{inner}</mark> : inner;
  return (
    <span
      classList={classesOf(look, Boolean(control))}
      style={look ? { "--text-ink": own(look.text), "--ground-ink": own(look.ground) } : undefined}
      title={control}
    >
      {told}
    </span>
  );
}

function classesOf(look: Look | undefined, isControl: boolean): Record<string, boolean> {
  const has: Record<string, boolean> = { [styles.control!]: isControl };
  const put = (name: string, is: unknown) => styles[name] && (has[styles[name]!] = Boolean(is));
  if (!look) return has;
  put("bold", look.bold);
  put("dim", look.dim);
  put("italic", look.italic);
  put("underline", look.underline);
  put("struck", look.struck);
  put("inked", look.text && typeof look.text !== "string");
  put("grounded", look.ground && typeof look.ground !== "string");
  if (typeof look.text === "string") put(`text-${look.text}`, true);
  if (typeof look.ground === "string") put(`ground-${look.ground}`, true);
  return has;
}

function own(ink: Ink | undefined): string | undefined {
  return ink && typeof ink !== "string" ? `light-dark(${css(ink.light)}, ${css(ink.dark)})` : undefined;
}
