/** Requests that are carried out once, also where they are sent again because no answer came. */

import { Problem, onceKey } from "~/lib/http";

type Headers = ReturnType<typeof onceKey>;

/** What is asked for: the same thing asked again is the same request, and anything else is another one. */
export class Once {
  /** What was asked without it being known what became of it. */
  private open: { what: string; headers: Headers } | undefined;

  /**
   * Ask for something.
   *
   * @param what All that makes up the request: what is done, to what, and with what.
   */
  async ask<T>(what: readonly unknown[], request: (headers: Headers) => Promise<T>): Promise<T> {
    const name = JSON.stringify(what);
    const mine = this.open?.what === name ? this.open : (this.open = { what: name, headers: onceKey() });
    let isOver = true;
    try {
      return await request(mine.headers);
    } catch (error) {
      isOver = !isOpen(error);
      throw error;
    } finally {
      if (isOver && this.open === mine) this.open = undefined;
    }
  }
}

/** Whether it is not known what became of a request: no answer came, or it is still being carried out. */
function isOpen(error: unknown): boolean {
  if (!(error instanceof Problem)) return false;
  return (
    error.status === 0 || error.status >= 502 || (error.status === 409 && error.message.includes("being carried out"))
  );
}
