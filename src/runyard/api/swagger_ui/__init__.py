"""Swagger UI 5.35.0, as published (swagger-ui-dist); only start.js is ours. See NOTICE."""
