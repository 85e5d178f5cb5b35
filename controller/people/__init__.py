"""People: accounts, what each role may do, sessions, tokens, and who did what."""
