"""Who belongs to which group, as the company itself keeps it: a file of our own form, or what its directory exports."""
