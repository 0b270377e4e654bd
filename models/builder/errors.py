"""What stops a build."""

from edge.errors import AnxinError


class BuildError(AnxinError):
    """A package, a hash, a tool or a gate is not as it must be; nothing was installed. Exit code 1."""

    exit_code = 1
