import { render } from "solid-js/web";
import "~/styles/base.css";
import "~/lib/theme";
import { App } from "./app";

render(() => <App />, document.getElementById("root")!);
