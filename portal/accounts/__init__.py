"""Who may do what: sign-in, the user, and the four roles. May import gateways and errors."""
