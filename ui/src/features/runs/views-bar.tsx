/** Views with a name, as links, and keeping the present one. */

import { For, Show, createSignal } from "solid-js";
import { Button } from "~/components/button";
import { Dialog } from "~/components/dialog";
import { Field, Input } from "~/components/field";
import { Icon } from "~/components/icon";
import { Menu } from "~/components/menu";
import type { MenuItem } from "~/components/menu";
import { tell } from "~/components/toasts";
import { below, paths } from "~/lib/paths";
import { GIVEN, LONGEST_NAME, MOST, ownViews, problemWith, renamed, saved, setOwnViews } from "./saved-views";
import type { NamedView } from "./saved-views";
import { isSame, searchOf } from "./view";
import type { View } from "./view";
import styles from "./views-bar.module.css";

export function ViewsBar(props: { view: View }) {
  /** "save", or the name of the view that gets another one. */
  const [asked, setAsked] = createSignal<{ rename?: string } | undefined>();
  const all = () => [...GIVEN, ...ownViews()];
  const current = () => all().find((one) => isSame(one.view, props.view));
  const own = () => ownViews().find((one) => isSame(one.view, props.view));
  const link = (one: NamedView) => (
    <li>
      {/* A link of the router takes itself for the present page by its path alone. */}
      <a
        href={below(paths.runs(searchOf(one.view)))}
        class={styles.view}
        aria-current={current() === one ? "page" : undefined}
        title={one.name}
      >
        <span class="cut">{one.name}</span>
      </a>
    </li>
  );
  const items = (): MenuItem[] => {
    const mine = own();
    const found: MenuItem[] = [];
    if (!current())
      found.push({
        label: "Save as a view…",
        icon: "star",
        disabled: ownViews().length >= MOST,
        run: () => setAsked({}),
      });
    if (mine)
      found.push(
        { label: `Rename “${mine.name}”…`, run: () => setAsked({ rename: mine.name }) },
        {
          label: `Delete “${mine.name}”`,
          icon: "trash",
          run: () => {
            setOwnViews(ownViews().filter((one) => one.name !== mine.name));
            tell(`The view “${mine.name}” is deleted.`);
          },
        },
      );
    return found;
  };
  return (
    <nav class={styles.bar} aria-label="Views">
      <ul class={styles.views}>
        <For each={GIVEN}>{link}</For>
        <For each={ownViews()}>{link}</For>
      </ul>
      <Show when={items().length}>
        <Menu label="This view" button={<Icon name="star" />} items={items()} />
      </Show>
      <Show when={asked()}>
        {(what) => <NameDialog view={props.view} rename={what().rename} onClose={() => setAsked(undefined)} />}
      </Show>
    </nav>
  );
}

function NameDialog(props: { view: View; rename?: string; onClose: () => void }) {
  const [name, setName] = createSignal(props.rename ?? "");
  const [isTried, setTried] = createSignal(false);
  const replaces = () => name().trim() !== props.rename && ownViews().some((one) => one.name === name().trim());
  const save = (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (problemWith(name())) return;
    const to = name().trim();
    setOwnViews(props.rename ? renamed(ownViews(), props.rename, to) : saved(ownViews(), to, props.view));
    props.onClose();
  };
  return (
    <Dialog
      open
      title={props.rename ? "Rename the view" : "Save as a view"}
      onClose={props.onClose}
      actions={
        <>
          <Button onClick={() => props.onClose()}>Not now</Button>
          <Button kind="primary" type="submit" form="view-name">
            {replaces() ? "Replace" : "Save"}
          </Button>
        </>
      }
    >
      <form id="view-name" onSubmit={save}>
        <Field
          label="Name"
          hint={
            replaces()
              ? "There is a view of this name; this one takes its place."
              : "It is kept in this browser. To show it to others, send them the address of the page."
          }
          error={isTried() ? problemWith(name()) : ""}
        >
          {(ids) => (
            <Input
              {...ids}
              ref={(element) => queueMicrotask(() => element.focus())}
              autocomplete="off"
              maxLength={LONGEST_NAME}
              value={name()}
              onInput={(event) => setName(event.currentTarget.value)}
            />
          )}
        </Field>
      </form>
    </Dialog>
  );
}
