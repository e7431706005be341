"""Forms about models: the upload, and each part of a version's settings. They check and never write."""
