/** The numbers of a time, large and quiet, each with how it differs from the time before. */

import { A } from "@solidjs/router";
import { For, Show } from "solid-js";
import type { JSX } from "solid-js";
import { Icon } from "~/components/icon";
import { count, percent, plural, short } from "~/lib/numbers";
import { duration } from "~/lib/times";
import { changeOf, pointsOf } from "./figures";
import type { Change, Figures } from "./figures";
import styles from "./figures-strip.module.css";

interface Figure {
  label: string;
  value: JSX.Element;
  /** The exact number, where it is told in short. */
  title?: string;
  href?: string;
  change?: Change;
  /** Which direction is a good one; 0 for none. */
  good: -1 | 0 | 1;
}

export function FiguresStrip(props: {
  figures: Figures | undefined;
  /** `undefined` where nothing is to be compared. */
  before: Figures | undefined;
  /** What the time before is called. */
  beforeTold: string;
  links: { runs: string; failed: string };
  /** At the end. */
  children?: JSX.Element;
}) {
  const figures = (): Figure[] => {
    const [now, before] = [props.figures, props.before];
    return [
      {
        label: "Success",
        value: now?.success === undefined ? "–" : percent(now.completed, now.completed + now.failed),
        change: pointsOf(now?.success, before?.success),
        good: 1,
      },
      {
        label: "Failed",
        value: now ? short(now.failed) : "–",
        title: now && `${count(now.failed)} failed or crashed`,
        href: now?.failed ? props.links.failed : undefined,
        change: changeOf(now?.failed, before?.failed),
        good: -1,
      },
      {
        label: "Runs",
        value: now ? short(now.runs) : "–",
        title: now && plural(now.runs, "run"),
        href: now?.runs ? props.links.runs : undefined,
        change: changeOf(now?.runs, before?.runs),
        good: 0,
      },
      {
        label: "Mean duration",
        value: now?.mean === undefined ? "–" : duration(now.mean),
        change: changeOf(now?.mean, before?.mean),
        good: 0,
      },
    ];
  };
  return (
    <div class={styles.line}>
      <dl class={styles.strip}>
        <For each={figures()}>
          {(figure) => (
            <div class={styles.figure}>
              <dt>{figure.label}</dt>
              <dd class={styles.value} title={figure.title}>
                <Show when={figure.href} fallback={figure.value}>
                  {(href) => <A href={href()}>{figure.value}</A>}
                </Show>
              </dd>
              <Show when={figure.change} fallback={<dd class={styles.change} />}>
                {(change) => (
                  <dd
                    class={styles.change}
                    data-tone={
                      figure.good && change().isLarge ? (change().direction === figure.good ? "good" : "bad") : ""
                    }
                    title={`Compared with ${props.beforeTold}`}
                  >
                    <Show when={change().direction}>
                      {(direction) => <Icon name={direction() > 0 ? "up" : "down"} size={11} />}
                    </Show>
                    {change().text}
                    <span class="sr-only"> compared with {props.beforeTold}</span>
                  </dd>
                )}
              </Show>
            </div>
          )}
        </For>
      </dl>
      {props.children}
    </div>
  );
}
