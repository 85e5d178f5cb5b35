"""What people see: the live pages and their API."""
