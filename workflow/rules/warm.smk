# Jobs on this machine find their libraries loaded: proven on CPUs alone.
from workflow import warm


onstart:
    if config["device"] == "cpu" and workflow.local_exec:
        warm.allow()
