/** The way to the server: requests whose types come from its own description, and its errors as it tells them. */

import createClient from "openapi-fetch";
import type { components, paths as Api } from "./api-types";
import { basePath, below, paths } from "./paths";

export type Shapes = components["schemas"];

/** What the server said that it cannot do, in its own sentence. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    /** The name of a class of `nadi.exceptions`; "" where the server could not be reached. */
    readonly error: string,
    message: string,
    readonly fields: Record<string, unknown> = {},
  ) {
    super(message);
    this.name = "Problem";
  }
}

/** Requests by path and method: `api.GET("/api/flow-runs", { params: { query: { limit: 50 } } })`. */
export const api = createClient<Api>({
  baseUrl: basePath,
  headers: { Accept: "application/json" },
  fetch: (request) => fetch(request),
});

/**
 * The answer of a request, or a `Problem`. Who is not known any more is asked to log in; with `stays` not, where 401 is
 * said of what was given: a password.
 */
export async function answered<T>(
  asked: Promise<{ data?: T; error?: unknown; response: Response }>,
  options: { stays?: boolean } = {},
): Promise<T> {
  let told;
  try {
    told = await asked;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, "", "The server cannot be reached. What is shown may be old.");
  }
  const { data, error, response } = told;
  if (response.ok) return data as T;
  if (response.status === 401 && !options.stays) askToLogIn();
  throw problemOf(error, response.status);
}

function problemOf(told: unknown, status: number): Problem {
  if (told && typeof told === "object" && "detail" in told && typeof told.detail === "string") {
    const { detail, error, fields } = told as { detail: string; error?: string; fields?: Record<string, unknown> };
    return new Problem(status, error ?? "", detail, fields ?? {});
  }
  return new Problem(status, "", `The server answered ${status} and did not say why.`);
}

/** Leave for the page that asks for name and password, and come back here from it. */
export function askToLogIn(): void {
  if (location.pathname === below(paths.login())) return;
  const all = location.pathname.slice(basePath.length) + location.search;
  // More than this is not taken by the server.
  const here = all.length <= 4_000 ? all : location.pathname.slice(basePath.length);
  location.assign(`${below(paths.login())}?next=${encodeURIComponent(here)}`);
}

/** A key for a request that must be carried out once, however often it is sent. */
export function onceKey(): { "Idempotency-Key": string } {
  // A page that came without TLS has no randomUUID.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return { "Idempotency-Key": Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("") };
}
