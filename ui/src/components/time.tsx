import { Show } from "solid-js";
import { createNow, duration, exact, relative, secondsOf, utc } from "~/lib/times";

/** A time, told from now; its title is the exact one, here and in UTC. */
export function Time(props: { at: string | number | null | undefined; exact?: boolean }) {
  const now = createNow(1000);
  const at = () => (typeof props.at === "number" ? props.at : secondsOf(props.at));
  return (
    <Show when={at()} fallback={<span class="soft">–</span>}>
      <time class="number" dateTime={utc(at())} title={`${exact(at())}\n${utc(at())}`}>
        {props.exact ? exact(at()) : relative(at(), now())}
      </time>
    </Show>
  );
}

/** How long something has taken; it goes on by itself until there is an end. */
export function Took(props: { started: string | number | null; ended: string | number | null }) {
  const seconds = (time: string | number | null) => (typeof time === "number" ? time : secondsOf(time));
  const started = () => seconds(props.started);
  return (
    <Show when={started()} fallback={<span class="soft">–</span>}>
      <Show
        when={!seconds(props.ended)}
        fallback={<span class="number">{duration(seconds(props.ended) - started())}</span>}
      >
        <Ticking since={started()} />
      </Show>
    </Show>
  );
}

function Ticking(props: { since: number }) {
  const now = createNow(200);
  return <span class="number">{duration(Math.max(0, now() - props.since))}</span>;
}
