"""Pages of the sign-in by Cognito. All are open to everybody."""
