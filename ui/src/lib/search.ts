/** What a view shows, as its URL says it: so that it can be sent to somebody, and is there after a reload. */

import { useSearchParams } from "@solidjs/router";

type Told = Record<string, string | string[] | undefined>;

/** Read and change the query of the URL. Changing it makes no new entry in the history unless told to. */
export function useSearch() {
  const [told, set] = useSearchParams<Told>();
  return {
    one(name: string): string {
      const value = told[name];
      return (Array.isArray(value) ? value[0] : value) ?? "";
    },
    all(name: string): string[] {
      const value = told[name];
      return value === undefined || value === "" ? [] : Array.isArray(value) ? value : [value];
    },
    set(change: Record<string, string | string[] | undefined>, options: { push?: boolean } = {}): void {
      const plain = Object.fromEntries(
        Object.entries(change).map(([name, value]) => [name, value === undefined || value.length === 0 ? null : value]),
      );
      set(plain as never, { replace: !options.push, scroll: false });
    },
  };
}
