/**
 * The one live stream. Every view hears it; the page that is open says what it follows: all outermost runs, or one of
 * them with all that belongs to it. Log lines are not in it: they are numbered, so who shows them reads on from the last
 * one whenever their run has changed.
 *
 * A tab that nobody sees lets its stream go, since a browser keeps few connections to one server for all its tabs; when
 * it is seen again it goes on where it was. What comes is told once per frame, however much it is.
 */

import { batch, createSignal, onCleanup } from "solid-js";
import { askToLogIn } from "./http";
import { below } from "./paths";
import type { Shapes } from "./http";

export interface News {
  "flow-runs": Shapes["RunShape"][];
  "task-runs": Shapes["TaskShape"][];
  artifacts: Shapes["ArtifactShape"][];
  metrics: MetricNews[];
  gone: string[];
  deleted: string[];
  /** What is shown is too old to be brought up to date: load it anew. */
  reset: never[];
}

export interface MetricNews {
  key: string;
  value: number | null;
  step: number | null;
  at: string | null;
  run: string;
  task: string | null;
  /** A page of series whose `after` is not less has it already. */
  number: number;
}

export type Kind = keyof News;
export const KINDS: readonly Kind[] = ["task-runs", "artifacts", "metrics", "flow-runs", "gone", "deleted", "reset"];

export interface Following {
  /** Id of an outermost run; "" for all of them. */
  run: string;
  /** Change number of what is shown already; 0 for "from now on". */
  after: number;
}

/** "live": it is told as it happens. "away": the server cannot be reached, and is asked again. */
export type Connection = "starting" | "live" | "away";

type Listener<K extends Kind> = (items: News[K]) => void;

/** Milliseconds until a tab that nobody sees lets its stream go, and after which what it shows is loaded anew. */
const UNSEEN = 15_000;
const TOO_LONG = 600_000;
/** Milliseconds that whoever wants to read waits for the stream to begin. */
const PATIENCE = 1_500;
/** Milliseconds until the server is asked again. */
const AGAIN = [500, 1_000, 2_000, 4_000, 8_000];

const ALL: Following = { run: "", after: 0 };

export class Live {
  readonly connection;
  private readonly setConnection;
  private readonly listeners = new Map<Kind, Set<Listener<never>>>();
  private readonly waiting = new Map<Kind, unknown[]>();
  private source: EventSource | undefined;
  private following = ALL;
  /** The greatest change number that came, and that was told. */
  private change = 0;
  private toldTo = 0;
  /** After which change number all is told; Infinity while the stream that begins "now" has not begun. */
  private began = Infinity;
  /** Where to go on with all runs, when they are followed again. */
  private backTo = 0;
  private readonly wait = new Set<() => void>();
  /** Whether somebody read before the stream began. */
  private isLate = false;
  private frame = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private hiddenSince = 0;
  private hiding: ReturnType<typeof setTimeout> | undefined;
  private begunAnew = 0;

  constructor(private readonly open: (url: string) => EventSource = (url) => new EventSource(url)) {
    [this.connection, this.setConnection] = createSignal<Connection>("starting");
  }

  /** Begin, and watch whether anybody sees the page. */
  start(): void {
    document.addEventListener("visibilitychange", () => this.seen(!document.hidden));
    // A tab may be opened beside the one that is looked at.
    if (document.hidden) this.seen(false);
    this.connect();
  }

  /** Follow something else from now on. Where it is the same as before, nothing happens. */
  follow(what: Following): void {
    if (this.following.run === what.run) return;
    this.following = what;
    this.goOn(what.after);
  }

  /** Follow all outermost runs. */
  followAll(): void {
    this.follow({ ...ALL, after: this.backTo });
    this.backTo = 0;
  }

  /** Tell what changed after a change number too, for a list of runs that was put away at that one and is back. */
  catchUp(after: number): void {
    if (this.following.run) this.backTo = after;
    else if (after < this.began) this.goOn(after);
  }

  /** The change number up to which all runs were told; 0 where that is not known. */
  told(): number {
    return this.following.run === "" && this.began < Infinity ? this.toldTo : 0;
  }

  /** Grows with each `reset`: what was kept from before one may be newer than all that is told after it, and be wrong. */
  get resets(): number {
    return this.begunAnew;
  }

  /**
   * Resolves when what happens from then on is told: who reads after that misses nothing. Where the stream does not
   * begin it resolves too, after a while; `reset` is told when it has begun.
   */
  ready(): Promise<void> {
    if (this.began < Infinity) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.wait.delete(done);
        resolve();
      };
      const timer = setTimeout(() => {
        this.isLate = true;
        done();
      }, PATIENCE);
      this.wait.add(done);
    });
  }

  /** Hear of one kind, while the component that calls this is there. */
  hear<K extends Kind>(kind: K, listener: Listener<K>): void {
    const heard = this.listeners.get(kind) ?? new Set();
    this.listeners.set(kind, heard.add(listener as Listener<never>));
    onCleanup(() => heard.delete(listener as Listener<never>));
  }

  private url(): string {
    const query = new URLSearchParams();
    if (this.following.run) query.set("run", this.following.run);
    if (this.change) query.set("after", String(this.change));
    const text = query.toString();
    return below(text ? `/api/stream?${text}` : "/api/stream");
  }

  private goOn(after: number): void {
    this.change = this.toldTo = after;
    this.began = after || Infinity;
    this.isLate = false;
    this.waiting.clear();
    this.connect();
  }

  private begun(): void {
    this.began = Math.min(this.began, this.change);
    if (!this.waiting.size) this.toldTo = this.change;
    for (const done of this.wait) done();
    if (!this.isLate) return;
    this.isLate = false;
    this.loseAll();
    this.tell();
  }

  private loseAll(): void {
    this.begunAnew += 1;
    // What is not told yet may be of another store, and is read anew with all else.
    this.waiting.clear();
    this.waiting.set("reset", []);
  }

  private connect(): void {
    this.close();
    if (document.hidden && this.hiddenSince && Date.now() - this.hiddenSince > UNSEEN) return;
    const source = this.open(this.url());
    this.source = source;
    source.addEventListener("open", (event) => {
      // An event of the server as well as of the browser has this name; the server's has data.
      if ("data" in event) this.opened((event as MessageEvent<string>).data);
      this.failures = 0;
      this.setConnection("live");
    });
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => this.take(kind, (event as MessageEvent<string>).data));
    }
    source.addEventListener("error", () => this.failed(source));
  }

  /** A server that begins before what was told has another store than the one before: what is shown is none of its. */
  private opened(data: string): void {
    const { change = 0 } = JSON.parse(data) as { change?: number };
    if (change < this.change) return this.take("reset", data);
    this.note(data);
    this.begun();
  }

  private close(): void {
    clearTimeout(this.retry);
    this.source?.close();
    this.source = undefined;
  }

  private note(data: string): { change?: number; items?: unknown[] } {
    const told = JSON.parse(data) as { change?: number; items?: unknown[] };
    this.change = Math.max(this.change, told.change ?? 0);
    return told;
  }

  private take(kind: Kind, data: string): void {
    const told = this.note(data);
    const items = told.items ?? [];
    if (kind === "reset") {
      // It may be another store than before, with smaller numbers.
      this.change = this.toldTo = told.change ?? 0;
      this.isLate = false;
      this.loseAll();
      this.begun();
    }
    const waiting = this.waiting.get(kind);
    if (waiting) waiting.push(...items);
    else this.waiting.set(kind, items);
    // Frames do not come while nobody sees the page, and what is told must not pile up then.
    if (document.hidden) this.tell();
    else this.frame ||= requestAnimationFrame(() => this.tell());
  }

  private tell(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const told = [...this.waiting];
    this.waiting.clear();
    this.toldTo = this.change;
    batch(() => {
      for (const kind of KINDS) {
        const items = told.find(([one]) => one === kind)?.[1];
        if (items) for (const listener of this.listeners.get(kind) ?? []) listener(items as never);
      }
    });
  }

  private failed(source: EventSource): void {
    if (source !== this.source) return;
    this.setConnection("away");
    if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself, with the last id
    this.close();
    const wait = AGAIN[Math.min(this.failures++, AGAIN.length - 1)];
    this.retry = setTimeout(() => void this.again(), wait);
  }

  private async again(): Promise<void> {
    // The stream itself does not say why it was refused.
    const answer = await fetch(below("/api/me")).catch(() => undefined);
    if (answer?.status === 401) return askToLogIn();
    const { run } = this.following;
    const found = run && answer?.ok ? await fetch(below(`/api/flow-runs/${run}`)).catch(() => undefined) : undefined;
    if (run !== this.following.run || this.source) return; // something else is followed since
    if (found?.status !== 404) return this.connect();
    // It was deleted while nobody listened, and there is nothing left to follow.
    this.setConnection("live");
    this.waiting.set("deleted", [run]);
    this.tell();
  }

  private seen(isSeen: boolean): void {
    clearTimeout(this.hiding);
    if (!isSeen) {
      this.hiddenSince = Date.now();
      this.hiding = setTimeout(() => this.close(), UNSEEN);
      return;
    }
    const away = Date.now() - this.hiddenSince;
    this.hiddenSince = 0;
    if (this.source) return;
    if (away <= TOO_LONG) return this.connect();
    this.goOn(0);
    this.loseAll();
    this.tell();
  }
}

export const live = new Live();
