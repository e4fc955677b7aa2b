"""Users: who may log in to this server, and has keys for it."""

from __future__ import annotations

import msgspec

from nadi.engine.access import add_user, change_user, find_user, remove_user
from nadi.engine.shapes import UserShape, user_shape
from nadi.exceptions import CallError, UserNotFound, ValueRefused
from nadi.model.access import Permission, Role
from nadi.server.api.login import Password
from nadi.server.auditing import tell
from nadi.server.routing import Call, Routes

routes = Routes("users")


class NewUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A user to make."""

    name: str
    role: Role
    #: "" for a user that has only keys.
    password: Password = ""


class UserChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of a user; what is left out stays."""

    role: Role | None = None
    password: Password | None = None
    disabled: bool | None = None


@routes.add("GET", "/api/users", Permission.ADMIN)
def list_users(call: Call) -> list[UserShape]:
    """List the users, by name."""
    return [user_shape(user) for user in call.context.store.access.users()]


@routes.add(
    "POST", "/api/users", Permission.ADMIN, status=201, errors=(ValueRefused, CallError), audit="add_user", secret=True
)
def make_user(call: Call, body: NewUser) -> UserShape:
    """Make a user."""
    tell(call.request, subject=body.name, role=body.role)
    return user_shape(
        add_user(call.context.store.access, body.name, role=body.role, password=body.password, now=call.now)
    )


@routes.add("GET", "/api/users/{name}", Permission.ADMIN, errors=(UserNotFound,))
def get_user(call: Call, name: str) -> UserShape:
    """Return one user."""
    return user_shape(find_user(call.context.store.access, name))


@routes.add(
    "PATCH",
    "/api/users/{name}",
    Permission.ADMIN,
    errors=(UserNotFound, CallError),
    audit="change_user",
    secret=True,
)
def patch_user(call: Call, name: str, body: UserChange) -> UserShape:
    """Change role, password, or whether the user is disabled.

    A new password, and being disabled, end the user's sessions at once; keys of a disabled user are not taken.
    """
    given = {"role": body.role, "disabled": body.disabled, "password": None if body.password is None else "changed"}
    tell(call.request, subject=name, changed={what: value for what, value in given.items() if value is not None})
    if body.password == "":
        raise ValueRefused("The new password is empty. To keep somebody out, disable the user.")
    return user_shape(
        change_user(
            call.context.store.access,
            name,
            role=body.role,
            password=body.password or "",
            disabled=body.disabled,
        )
    )


@routes.add("DELETE", "/api/users/{name}", Permission.ADMIN, errors=(UserNotFound,), audit="remove_user")
def delete_user(call: Call, name: str) -> None:
    """Remove a user with all keys and sessions of theirs. What they did stays in the audit log."""
    remove_user(call.context.store.access, name)
