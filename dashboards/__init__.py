"""What people see and press: HTTP interface, live events and the pages of a floor."""
