import { Show, createEffect, createResource, createSignal, on } from "solid-js";
import { plural } from "~/lib/numbers";
import { Button } from "./button";
import { Loading } from "./notice";
import styles from "./markdown.module.css";

/** Characters beyond which a text is only laid out when one asks for it: that takes a while. */
const LONG = 200_000;

/** A text of a run, laid out. What may be in it is told in markdown-safe.ts. */
export function Markdown(props: {
  text: string;
  /** Level of its first heading; 3 if not given. */
  headings?: number;
}) {
  const [module] = createResource(() => import("./markdown-safe"));
  const [isAsked, setIsAsked] = createSignal(false);
  const [failed, setFailed] = createSignal(false);
  const isLong = () => props.text.length > LONG && !isAsked();
  let place: HTMLDivElement | undefined;
  createEffect(
    on([() => module.latest, () => props.text, isLong, () => props.headings], ([safe, text, long, headings]) => {
      if (!safe || long || !place) return;
      try {
        place.replaceChildren(safe.safeNodes(text, headings ?? 3));
        setFailed(false);
      } catch {
        // Nested so deeply that nobody can lay it out: the text itself can still be read.
        setFailed(true);
      }
    }),
  );
  const isPlain = () => isLong() || failed();
  return (
    <>
      <Show when={isLong()}>
        <p class={styles.long}>
          A long text, as it was written: {plural(props.text.length, "character")}.
          <Button onClick={() => setIsAsked(true)}>Lay it out</Button>
        </p>
      </Show>
      <Show when={module.state === "errored"}>
        <p class={styles.long}>What lays texts out could not be loaded. This is the text as it was written.</p>
      </Show>
      <Show when={isPlain() || module.state === "errored"}>
        <pre class={styles.plain} dir="auto" tabIndex={0} role="region" aria-label="Text">
          {props.text}
        </pre>
      </Show>
      <Show when={module.loading}>
        <Loading what="the text" />
      </Show>
      <div ref={place} class={styles.markdown} hidden={isPlain()} />
    </>
  );
}
