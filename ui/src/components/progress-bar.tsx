import styles from "./progress-bar.module.css";

/** How far something is, in per cent. */
export function ProgressBar(props: { value: number | undefined; label: string; large?: boolean }) {
  const text = () => (props.value === undefined ? "not told" : `${shortened(props.value)} %`);
  return (
    <span class={styles.progress} classList={{ [styles.large!]: props.large }}>
      <span
        class={styles.bar}
        role="progressbar"
        aria-label={props.label.slice(0, 300)}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={props.value}
        aria-valuetext={text()}
      >
        <span
          class={styles.done}
          classList={{ [styles.whole!]: props.value === 100 }}
          style={{ width: `${props.value ?? 0}%` }}
        />
      </span>
      <span class={styles.text}>{text()}</span>
    </span>
  );
}

/** Never 100 where something is missing. */
function shortened(value: number): string {
  return value > 99 && value < 100 ? value.toFixed(1) : String(Math.round(value));
}
