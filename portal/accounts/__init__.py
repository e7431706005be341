"""Who may do what: sign-in and its second factors, sessions, the user, the four roles. May import gateways and errors."""
