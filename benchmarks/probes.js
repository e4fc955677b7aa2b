// What `benchmarks/pages.py` puts into each page before anything else runs there: it notes when something is to be seen.
globalThis.probes = (() => {
  const one = (selector) => document.querySelector(selector);
  const text = (selector) => one(selector)?.textContent ?? "";
  const leading = (told) => Number(/^[\d,]+/.exec(told)?.[0].replaceAll(",", "") ?? 0);

  /** Whether a part of the run is drawn, and knows of so many task runs. */
  const isOpen = {
    timeline: (wanted) => one("[role=application] canvas") && leading(text("#timeline-summary")) >= wanted,
    graph: () => one("[aria-roledescription=graph] :is([data-node], canvas)"),
    tasks: (wanted) =>
      one("[role=row][data-row]") &&
      leading(text("section[aria-label=Tasks] [role=status]")) >= wanted &&
      !text("section[aria-label=Tasks] [role=status]").includes("reading"),
    logs: () => one("[role=log] [data-number]"),
  };
  /** Whether a page says what it is, and reads nothing more of what it shows. */
  const isRead = () =>
    one("h1") && ![...document.querySelectorAll("[role=status]")].some((note) => /^Loading/.test(note.textContent));

  /** Milliseconds after which something is called missing. */
  const PATIENCE = 30_000;
  const within = (promise, what) =>
    Promise.race([
      promise,
      new Promise((_, fail) => setTimeout(() => fail(new Error(`${what} did not come in time`)), PATIENCE)),
    ]);

  /** The time at which two frames have come since something was so: what it took to draw it is over then. */
  const when = (isSo, what) =>
    within(
      new Promise((done) => {
        const look = () => {
          if (!isSo()) return requestAnimationFrame(look);
          requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())));
        };
        look();
      }),
      what,
    );

  let watched;
  let frames = [];
  let isCounting = false;
  const count = (now) => {
    frames.push(now);
    if (isCounting) requestAnimationFrame(count);
  };

  return {
    /** Milliseconds from a click on the tab of a part until it can be used. */
    click: async (part, wanted) => {
      const tab = [...document.querySelectorAll("nav a")].find((link) => link.pathname.endsWith(`/${part}`));
      const begin = performance.now();
      tab.click();
      const isThere = () => location.pathname.endsWith(`/${part}`) && isOpen[part](wanted);
      return (await when(isThere, part)) - begin;
    },
    /** Milliseconds from the start of the navigation until a part can be used. */
    opened: (part, wanted) => when(() => isOpen[part](wanted), part),
    /** The same until a page has read all that it shows. */
    read: () => when(isRead, "what the page shows"),
    /** Milliseconds from the start of the navigation until something is painted. */
    painted: () =>
      within(
        new Promise((done) => {
          new PerformanceObserver((list) => {
            for (const entry of list.getEntriesByName("first-contentful-paint")) done(entry.startTime);
          }).observe({ type: "paint", buffered: true });
        }),
        "a first paint",
      ),
    /** Look out for a text in an element; only one thing at a time. */
    watch: (selector, wanted) => {
      watched = within(
        new Promise((done) => {
          const observer = new MutationObserver(() => {
            if (!text(selector).includes(wanted)) return;
            observer.disconnect();
            // After the next frame, so that it is painted and not only in the document.
            requestAnimationFrame(() => setTimeout(() => done(Date.now())));
          });
          observer.observe(document.body, { subtree: true, childList: true, characterData: true });
        }),
        wanted,
      );
      // Who asks for it may do so later.
      watched.catch(() => undefined);
    },
    /** The time, in Unix milliseconds, at which what was looked out for was to be seen. */
    seen: () => watched,
    countFrames: () => {
      frames = [];
      isCounting = true;
      requestAnimationFrame(count);
    },
    /** The times of all frames since they are counted. */
    frames: () => {
      isCounting = false;
      return frames;
    },
  };
})();
