"""Pages of the sign-in by Cognito, which are open to everybody, and of one's own account."""
