# What a run needs of the machine, and the files that Snakemake is about to read: looked at first, since
# it tells less of what is wrong with them.
import sys
from pathlib import Path

sys.path.insert(0, workflow.basedir)  # plain `snakemake` runs outside of in_env.sh

from workflow.plan.config import ConfigError, read_files
from workflow.run import preflight

FILES = ["config.yaml", *map(str, workflow.overwrite_configfiles)]

try:
    preflight.check(Path(workflow.basedir))
    read_files(FILES)
except (OSError, ConfigError) as error:
    sys.exit(str(error))
