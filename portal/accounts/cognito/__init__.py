"""Signing in by a Cognito user pool, where PORTICO_USER_POOL_ID names one; Django's own passwords are then of no use.

views/managed    there and back again: managed login, through allauth's `openid_connect`
views/passwords  the same by forms of the portal's own, where PORTICO_COGNITO_FORMS is on
views/leaving    signing out, here and there
people           who that is, and which role the pool's groups give
sessions         the refresh token in the session: kept, used when it is due, given up
docs/decisions/016-cognito.md says why. May import: portal.accounts, portal.gateways, portal.errors.
"""
