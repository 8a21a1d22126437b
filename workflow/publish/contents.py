"""Published results that each table can be made from, as long as publication is incomplete."""

from pathlib import Path
from typing import Any

from workflow.plan import grid, table_fits
from workflow.publish import archive


def groups(config: dict[str, Any], folder: Path) -> dict[str, list[str]]:
    """Group -> its models, or none if nothing is published for the group's table to show.

    Args:
        config: checked, of the plan.
        folder: of the published results.
    """
    published = archive.read(folder)
    models_shown = {}
    for group, models in table_fits.groups(config).items():
        task = table_fits.task(group)
        fits = [fit for fit in table_fits.fits(group, config) if (task, fit) in published]
        models_shown[group] = models if _has_content(group, fits, config) else []
    return models_shown


def _has_content(group: str, fits: list[table_fits.Fit], config: dict[str, Any]) -> bool:
    """Whether a group's table has rows of its own, besides fits shared with other tables."""
    if group == table_fits.OUTLIER_CLASSES:
        return len({fit.classes for fit in fits}) > 1
    if group == table_fits.ABLATIONS:
        return bool({fit.grid_point for fit in fits} & grid.ablated_points(config).keys())
    return bool(fits)


def judges(folder: Path) -> list[str]:
    """Published judges that have judged samples, as folders below `results/<run>/`."""
    judgements = sorted(folder.glob("judges/*/*/judgements.json"))
    return [str(path.parent.relative_to(folder)) for path in judgements]


def figures(folder: Path) -> list[str]:
    """Names of the published tables of figures' numbers, as in `figure4_ends`."""
    return sorted(path.stem for path in folder.glob("figures/figure*.csv"))
