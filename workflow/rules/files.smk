# What Snakemake is about to read, looked at first: it tells less of a file that is damaged.
import sys
from pathlib import Path

sys.path.insert(0, workflow.basedir)  # plain `snakemake` runs outside of in_env.sh

from workflow.evaluation.config import ConfigError, read

FILES = ["config.yaml", *map(str, workflow.overwrite_configfiles)]

try:
    read(FILES)
except ConfigError as error:
    sys.exit(str(error))
