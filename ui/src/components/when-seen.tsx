import { Show, createSignal, onCleanup, onMount } from "solid-js";
import type { JSX } from "solid-js";

/** What is made only when it is about to be seen, and taken away when it is not seen any more. Its place stays. */
export function WhenSeen(props: { height: number; class?: string; children: JSX.Element }) {
  const [isNear, setIsNear] = createSignal(false);
  const [height, setHeight] = createSignal(0);
  let place!: HTMLDivElement;
  onMount(() => {
    const watch = new IntersectionObserver(
      ([entry]) => {
        if (!entry) return;
        // What has the focus stays: keys would go nowhere.
        if (!entry.isIntersecting && place.contains(document.activeElement)) return;
        if (!entry.isIntersecting && isNear()) setHeight(entry.boundingClientRect.height);
        setIsNear(entry.isIntersecting);
      },
      { rootMargin: "400px" },
    );
    watch.observe(place);
    onCleanup(() => watch.disconnect());
  });
  return (
    <div ref={place} class={props.class} style={{ "min-height": `${isNear() ? 0 : height() || props.height}px` }}>
      <Show when={isNear()}>{props.children}</Show>
    </div>
  );
}
