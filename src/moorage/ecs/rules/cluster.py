"""What a cluster may be set to: its settings, and its configuration of command logs and storage.

CreateCluster, UpdateCluster and UpdateClusterSettings ask the same rules.
"""

from collections.abc import Sequence

from moorage.ecs.rules.refusal import Refusal, invalid, unsupported
from moorage.shapes.ecs.cluster import (
    ClusterConfiguration,
    ClusterServiceConnectDefaultsRequest,
    ClusterSetting,
)

INSIGHTS = "containerInsights"
INSIGHTS_VALUES = ("enhanced", "enabled", "disabled")
# What a cluster has that nobody has set: `default`, which is there before anybody wrote it.
SETTINGS_DEFAULT = (ClusterSetting(name=INSIGHTS, value="disabled"),)
OVERRIDE = "OVERRIDE"


def refuse_settings(settings: Sequence[ClusterSetting] | None) -> Refusal | None:
    """Why a cluster cannot have these settings, or None."""
    names = [setting.name for setting in settings or ()]
    for setting in settings or ():
        if setting.name != INSIGHTS or setting.value not in INSIGHTS_VALUES:
            return invalid(
                f"A cluster's setting is {INSIGHTS}, one of {', '.join(INSIGHTS_VALUES)}."
            )
    if len(set(names)) != len(names):
        return invalid(f"The cluster setting {INSIGHTS} is given twice.")
    return None


def refuse_configuration(configuration: ClusterConfiguration | None) -> Refusal | None:
    """Why a cluster cannot have this configuration, or None.

    ExecuteCommandConfiguration in Amazon's model: with `OVERRIDE` a `logConfiguration` must be
    provided.
    """
    execute = configuration.execute_command_configuration if configuration else None
    if execute is None or execute.logging != OVERRIDE or execute.log_configuration is not None:
        return None
    return invalid(
        "The logConfiguration of executeCommandConfiguration must be provided "
        f"when logging is {OVERRIDE}."
    )


def refuse_connect(defaults: ClusterServiceConnectDefaultsRequest | None) -> Refusal | None:
    """Why a default namespace for Service Connect is refused; the empty one asks for none."""
    if defaults is None or not defaults.namespace:
        return None
    return unsupported("Moorage does not have serviceConnectDefaults yet.")
