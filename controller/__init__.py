"""The site's side: from need to part; activities named after ISA-95, joined by app.py alone."""
