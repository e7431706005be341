"""The Cognito user pool as those see it who sign in: nothing here knows a session, and only `people` a key of AWS.

client          where the pool is, and its exceptions in our words
passwords       signing in by a password, the questions that may follow, a forgotten password
tokens          a code or a refresh token for tokens; taking a refresh token back
id_tokens       is this an ID token of our pool, for us, of now?
authenticators  a person's authenticator app: added and taken off by that person's own access token
people          is somebody still in the pool, and switched on?
May import: portal.errors, Django's settings.
"""
