import { createSignal, onCleanup } from "solid-js";
import { copy } from "~/lib/copying";
import { IconButton } from "./button";

/** Puts a text on the clipboard, and says that it is there. */
export function CopyButton(props: { text: string; label: string }) {
  const [done, setDone] = createSignal<"" | "Copied" | "Could not be copied">("");
  let timer: ReturnType<typeof setTimeout> | undefined;
  onCleanup(() => clearTimeout(timer));
  const press = async (event: MouseEvent) => {
    event.stopPropagation();
    event.preventDefault();
    setDone((await copy(props.text)) ? "Copied" : "Could not be copied");
    timer = setTimeout(() => setDone(""), 1_500);
  };
  return (
    <>
      <IconButton icon={done() === "Copied" ? "check" : "copy"} label={done() || props.label} onClick={press} />
      <span class="sr-only" role="status">
        {done()}
      </span>
    </>
  );
}
