"""What of the published results each table can be made of, as far as they have got."""

from pathlib import Path
from typing import Any

from workflow.plan import grid, table_fits
from workflow.publish import archive


def groups(config: dict[str, Any], folder: Path) -> dict[str, list[str]]:
    """Group -> its models, empty where nothing is published that the group's table would show.

    Args:
        config: checked, of the plan.
        folder: of the published results.
    """
    published = archive.read(folder)
    found = {}
    for group, models in table_fits.groups(config).items():
        task = table_fits.task(group)
        fits = [fit for fit in table_fits.fits(group, config) if (task, fit) in published]
        found[group] = models if _shows(group, fits, config) else []
    return found


def _shows(group: str, fits: list[table_fits.Fit], config: dict[str, Any]) -> bool:
    """Whether a group's table has something to compare, which it shares no fits for."""
    if group == table_fits.OUTLIER_CLASSES:
        return len({fit.classes for fit in fits}) > 1
    if group == table_fits.ABLATIONS:
        return bool({fit.grid_point for fit in fits} & grid.ablated_points(config).keys())
    return bool(fits)


def judges(folder: Path) -> list[str]:
    """Published judges that have seen samples, as folders below `results/<run>/`."""
    found = sorted(folder.glob("judges/*/*/judgements.json"))
    return [str(path.parent.relative_to(folder)) for path in found]


def figures(folder: Path) -> list[str]:
    """Names of the published figures' numbers, as in `figure4_ends`."""
    return sorted(path.stem for path in folder.glob("figures/figure*.csv"))
