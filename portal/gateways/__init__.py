"""The only room that speaks to AWS: objects in, objects out, no models and no requests.

botocore's exceptions stop here; what leaves is an answer or a `portal.errors.GatewayError`.
May import: portal.errors, Django's settings.
"""
