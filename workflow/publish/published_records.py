"""Take the published records of a table's fits from the archive into a tidy CSV.

Fits that nobody has published yet are left out.
"""

from workflow.common.command_line import plain_errors
from workflow.fit import measurement, tidy
from workflow.publish import archive


def main(arguments: list[str] | None = None) -> None:
    """Run the step."""
    parser = measurement.parser(__spec__, __doc__)
    parser.add_argument("--task", required=True, help="as in outliers")
    options = parser.parse_args(arguments)
    with plain_errors(parser.prog):
        published = archive.read(options.root)
        keys = {(options.task, fit) for fit in measurement.fits(options)}
        tidy.write(options.out, (record for key, record in published.items() if key in keys))


if __name__ == "__main__":
    main()
