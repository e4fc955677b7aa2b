import { Index } from "solid-js";
import { sparksOf } from "./sparks";
import styles from "./spark.module.css";

const PARTS = 24;

/** When something happened within a time. It says nothing to screen readers: the text beside it does. */
export function Spark(props: { times: readonly number[]; from: number; to: number; colour: string; title: string }) {
  return (
    <span class={styles.spark} style={{ color: `var(${props.colour})` }} aria-hidden="true" title={props.title}>
      <Index each={sparksOf(props.times, props.from, props.to, PARTS)}>
        {(height) => <i style={{ height: `${Math.round(height() * 18)}px` }} />}
      </Index>
    </span>
  );
}
