/** A server of which a test says what it answers and when, and a place where what reads from it lives. */

import { QueryClient, QueryClientContext } from "@tanstack/solid-query";
import { createComponent, createRoot, untrack } from "solid-js";
import { afterEach, beforeEach, vi } from "vitest";

export interface Asked {
  path: string;
  query: URLSearchParams;
  method: string;
  headers: Headers;
  body: unknown;
}

type Answer = object | ((asked: Asked) => object);

export interface Server {
  /** What is answered, by path: what a function returns, or `Response.error()` for a server that is not there. */
  answers: Map<string, Answer>;
  /** All that was asked, in order. */
  asked: Asked[];
  /** Paths that were asked, of those that end so. */
  times: (end: string) => number;
  /** Let answers of a path wait, until what is returned is called: then those that wait come, and later ones at once. */
  hold: (path: string) => () => void;
}

/** A server for each test of a file, in place of `fetch`. */
export function useServer(): Server {
  const answers: Server["answers"] = new Map();
  const held = new Map<string, (() => void)[]>();
  const server: Server = {
    answers,
    asked: [],
    times: (end) => server.asked.filter(({ path }) => path.endsWith(end)).length,
    hold: (path) => {
      held.set(path, []);
      return () => {
        const waiting = held.get(path) ?? [];
        held.delete(path);
        for (const go of waiting) go();
      };
    },
  };
  const answer = async (request: Request): Promise<Response> => {
    const { pathname: path, searchParams: query } = new URL(request.url);
    const body: unknown = request.method === "POST" ? await request.json() : undefined;
    const asked = { path, query, method: request.method, headers: request.headers, body };
    server.asked.push(asked);
    // What is answered is what there is when it is asked for, however long the answer takes.
    const found = answers.get(path);
    const told = typeof found === "function" ? (found as (asked: Asked) => object)(asked) : found;
    await new Promise<void>((go) => (held.has(path) ? held.get(path)!.push(go) : go()));
    if (told instanceof Response) {
      if (told.type === "error") throw new TypeError("Failed to fetch");
      return told;
    }
    const status = told ? 200 : 404;
    const headers = { "Content-Type": "application/json" };
    return new Response(JSON.stringify(told ?? { detail: `There is no ${path}.` }), { status, headers });
  };
  beforeEach(() => {
    answers.clear();
    held.clear();
    server.asked = [];
    vi.stubGlobal("fetch", answer);
  });
  afterEach(() => vi.unstubAllGlobals());
  return server;
}

/** What `made` returns, as the body of a component makes it; it ends with the test, or when `end` is called. */
export function living<T>(made: () => T): { value: T; end: () => void } {
  let value!: T;
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const end = createRoot((dispose) => {
    createComponent(QueryClientContext.Provider, {
      value: () => client,
      get children() {
        value = untrack(made);
        return null;
      },
    });
    return dispose;
  });
  ends.push(end);
  return { value, end };
}

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** Wait until a check holds. */
export function seen(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: 2_000, interval: 5 });
}
