"""Who may do what: sign-in and its second factors, by a user pool in `cognito/`; sessions, the user, the four roles.

May import gateways and errors.
"""
