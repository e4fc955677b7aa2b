/** Which dialog of the run's page is open. What is filled in to run it again stands in the URL; the others do not. */

import { createContext, createSignal, useContext } from "solid-js";
import { useSearch } from "~/lib/search";

export type Asking = "cancel" | "resume" | "retry" | "delete" | "same" | "again";

export function createDialogs() {
  const search = useSearch();
  const [asking, setAsking] = createSignal<Asking | null>(null);
  const [task, setTask] = createSignal("");
  return {
    asking: (): Asking | null => (search.one("again") ? (search.one("again") === "same" ? "same" : "again") : asking()),
    /** The task run to run again from, if it was chosen already. */
    task,
    ask: (what: Asking, from = "") => {
      setTask(from);
      if (what === "again" || what === "same") search.set({ again: what === "same" ? "same" : "1" });
      else setAsking(what);
    },
    /** Another run is shown: what was asked was asked of the one before. */
    forget: () => {
      setAsking(null);
      setTask("");
    },
    close: () => {
      setAsking(null);
      if (search.one("again")) search.set({ again: undefined });
    },
  };
}

export type Dialogs = ReturnType<typeof createDialogs>;

const Context = createContext<Dialogs>();
export const DialogsProvider = Context.Provider;

export function useDialogs(): Dialogs {
  const found = useContext(Context);
  if (!found) throw new Error("useDialogs() is for what stands on the page of a run.");
  return found;
}
