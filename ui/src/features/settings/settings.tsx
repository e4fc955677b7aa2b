/** What one sets for oneself, who one is, and what the server says of itself. */

import { Page } from "~/components/page";
import { Looks } from "./looks";
import { Password } from "./password";
import { Server } from "./server";
import { Shortcuts } from "./shortcuts";
import { You } from "./you";
import styles from "./settings.module.css";

export function Settings() {
  return (
    <Page title="Settings">
      <div class={styles.columns}>
        <div class={styles.column}>
          <Looks />
          <You />
          <Password />
        </div>
        <div class={styles.column}>
          <Server />
          <Shortcuts />
        </div>
      </div>
    </Page>
  );
}
