/** Who may log in to this server, and what they may do. */

import { createSignal } from "solid-js";
import { Asking } from "~/components/asking";
import { Button } from "~/components/button";
import { Card } from "~/components/card";
import { Field, Input } from "~/components/field";
import { Menu } from "~/components/menu";
import { Answer, Empty } from "~/components/notice";
import { Page } from "~/components/page";
import { ShortTable } from "~/components/short-table";
import { Time } from "~/components/time";
import { tell, tellProblem } from "~/components/toasts";
import { useMe } from "~/data/me";
import { useUsers } from "./api";
import type { User } from "./api";
import { NewUser } from "./new-user";
import { MAY } from "./roles";
import type { Role } from "./roles";
import { RoleChoice } from "./role-choice";
import styles from "./users.module.css";

export function Users() {
  const users = useUsers();
  const me = useMe();
  const [adding, setAdding] = createSignal(false);
  const [changing, setChanging] = createSignal<User>();
  const [passing, setPassing] = createSignal<User>();
  const [removing, setRemoving] = createSignal<User>();
  const [role, setRole] = createSignal<Role>("viewer");
  const [password, setPassword] = createSignal("");
  const [typed, setTyped] = createSignal("");

  const toggle = (user: User) =>
    users
      .change(user.name, { disabled: !user.disabled })
      .then(() => tell(user.disabled ? `${user.name} can log in again.` : `${user.name} is kept out.`), tellProblem);
  const items = (user: User) => [
    {
      label: "Change role",
      icon: "user" as const,
      run: () => {
        setRole(user.role as Role);
        setChanging(user);
      },
    },
    {
      label: user.has_password ? "Set another password" : "Set a password",
      icon: "key" as const,
      run: () => {
        setPassword("");
        setPassing(user);
      },
    },
    { label: user.disabled ? "Let in again" : "Keep out", icon: "slash" as const, run: () => void toggle(user) },
    {
      label: "Remove",
      icon: "trash" as const,
      isDanger: true,
      run: () => {
        setTyped("");
        setRemoving(user);
      },
    },
  ];
  return (
    <Page
      title="Users"
      aside={
        me.may("admin") && (
          <Button kind="primary" icon="plus" onClick={() => setAdding(true)}>
            New user
          </Button>
        )
      }
    >
      <Answer query={users.query} what="users">
        {(found) => (
          <Card flush>
            <ShortTable
              label="Users"
              rows={found()}
              columns={[
                { title: "Name", cell: (user) => <strong class="told">{user.name}</strong> },
                { title: "Role", cell: (user) => <span title={MAY[user.role as Role]}>{user.role}</span> },
                {
                  title: "Gets in",
                  cell: (user) =>
                    user.disabled ? (
                      <span class={styles.out}>Kept out</span>
                    ) : user.has_password ? (
                      "By password"
                    ) : (
                      <span class="soft">By keys only</span>
                    ),
                },
                { title: "Since", cell: (user) => <Time at={user.created} /> },
                {
                  title: "What can be done",
                  untitled: true,
                  right: true,
                  cell: (user) => <Menu label={`Change ${user.name}`} button="Change" items={items(user)} />,
                },
              ]}
              empty={
                <Empty icon="user" title="There are no users yet.">
                  Whoever has this machine's account needs none: the command line works, and{" "}
                  <code>nadi server --open</code> logs in. Users are for everybody else.
                </Empty>
              }
            />
          </Card>
        )}
      </Answer>

      <NewUser open={adding()} onClose={() => setAdding(false)} add={users.add} />
      <Asking
        open={changing() !== undefined}
        title={`Role of ${changing()?.name}`}
        action="Change"
        onClose={() => setChanging(undefined)}
        run={() => users.change(changing()!.name, { role: role() }).then(() => tell("The role counts from now on."))}
      >
        <RoleChoice value={role()} onChange={setRole} />
      </Asking>
      <Asking
        open={passing() !== undefined}
        title={`Password of ${passing()?.name}`}
        action="Set"
        ready={password().length > 0}
        onClose={() => setPassing(undefined)}
        run={() => users.change(passing()!.name, { password: password() }).then(() => tell("The password is set."))}
      >
        <Field label="New password" hint="All sessions of the user end.">
          {(ids) => (
            <Input
              {...ids}
              type="password"
              autocomplete="new-password"
              value={password()}
              onInput={(event) => setPassword(event.currentTarget.value)}
            />
          )}
        </Field>
      </Asking>
      <Asking
        open={removing() !== undefined}
        title={`Remove ${removing()?.name}`}
        action="Remove"
        isDanger
        ready={typed() === removing()?.name}
        onClose={() => setRemoving(undefined)}
        run={() => users.remove(removing()!.name).then(() => tell("The user is removed."))}
      >
        <p>All keys and sessions of the user end at once. What they did stays in the audit log.</p>
        <Field label={`Type ${removing()?.name} to go on`}>
          {(ids) => (
            <Input
              {...ids}
              autocomplete="off"
              value={typed()}
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
          )}
        </Field>
      </Asking>
    </Page>
  );
}
