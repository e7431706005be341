"""Who may do what: sign-in, second factors, sessions, the user, four roles. May import gateways and errors."""
