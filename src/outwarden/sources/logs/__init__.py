"""Mail logs become events: one reader per mail server, none of which knows another."""
