"""Signing in by a Cognito user pool, where PORTICO_USER_POOL_ID names one; Django's own passwords are then of no use.

views/managed, views/passwords  there and back again, by managed login or by forms of the portal's own
views/confirming                the same once more, before something sensitive
views/authenticator             the app that shows codes, added and taken off
views/leaving                   signing out, here and there
people, standing                who that is, with which role; may programs still come in that name?
sessions                        the refresh token in the session: kept, used when it is due, given up
docs/decisions/016-cognito.md says why. May import: portal.accounts, portal.gateways, portal.errors.
"""
