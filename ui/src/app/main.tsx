import { render } from "solid-js/web";
import "~/styles/base.css";
import "~/lib/theme";
import { App } from "./app";

/** Milliseconds within which the page is not loaded anew a second time. */
const ONCE = 60_000;

// A part that is not there any more: the server was upgraded since this page was loaded.
addEventListener("vite:preloadError", () => {
  const last = Number(sessionStorage.getItem("nadi.reloaded") ?? 0);
  if (Date.now() - last < ONCE) return;
  sessionStorage.setItem("nadi.reloaded", String(Date.now()));
  location.reload();
});

render(() => <App />, document.getElementById("root")!);
