# Check the machine and the configuration files before Snakemake reads them, since its own messages
# say less.
import sys
from pathlib import Path

sys.path.insert(0, workflow.basedir)  # plain `snakemake` runs without in_env.sh

from workflow.plan.config import ConfigError, read_files
from workflow.run import preflight

FILES = ["config.yaml", *map(str, workflow.overwrite_configfiles)]

try:
    preflight.check(Path(workflow.basedir))
    read_files(FILES)
except (OSError, ConfigError) as error:
    sys.exit(str(error))
