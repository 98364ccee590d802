"""The stage of the demo: ports, configuration, the parts as processes, and the play itself."""
