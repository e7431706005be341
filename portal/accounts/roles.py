"""The roles, as one table: each is a group, and holds what the roles before it hold.

| role        | may                                                             |
|-------------|-----------------------------------------------------------------|
| viewer      | see the models and the history of their own                     |
| predictor   | predict, score files                                            |
| model owner | upload, check, describe and publish models; see all history     |
| admin       | manage people                                                   |
"""

from typing import Any

VIEWER, PREDICTOR, MODEL_OWNER, ADMIN = "viewer", "predictor", "model owner", "admin"

OWN_PERMISSIONS: dict[str, tuple[str, ...]] = {
    VIEWER: ("registry.view_live_model", "predictions.view_prediction", "predictions.view_batch"),
    PREDICTOR: ("predictions.add_prediction", "predictions.add_batch"),
    MODEL_OWNER: (
        "predictions.view_all_history",
        "registry.add_model",
        "registry.change_model",
        "registry.view_model",
        "registry.add_modelversion",
        "registry.change_modelversion",
        "registry.view_modelversion",
        "registry.activate_modelversion",
        *(
            f"registry.{verb}_{row}"
            for row in ("feature", "band", "example")
            for verb in ("add", "change", "delete", "view")
        ),
        "registry.view_event",
    ),
    ADMIN: ("accounts.add_user", "accounts.change_user", "accounts.delete_user", "accounts.view_user"),
}
ROLES = tuple(OWN_PERMISSIONS)
STAFF_ROLES = (MODEL_OWNER, ADMIN)


def permissions_of(role: str) -> list[str]:
    """All permissions of a role, its own and those of the roles before it."""
    return [name for each in ROLES[: ROLES.index(role) + 1] for name in OWN_PERMISSIONS[each]]


def write_roles(groups: Any, permissions: Any) -> None:
    """Make the groups of the database say what this table says. Takes the model classes' managers, for migrations."""
    for role in ROLES:
        group, _ = groups.get_or_create(name=role)
        names = [name.split(".") for name in permissions_of(role)]
        group.permissions.set(
            permissions.get(content_type__app_label=app, codename=codename) for app, codename in names
        )
