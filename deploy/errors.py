"""What `deploy` refuses with: a sentence that says what happened, why, and the next command."""


class DeployError(Exception):
    """Shown to the person at the terminal as it is; ends the command with its exit code."""

    exit_code = 1


class EmulatorAway(DeployError):
    """Nothing answers where the emulator should be."""
