"""One folder per outside thing; nobody else imports its library."""
