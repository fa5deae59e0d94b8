"""Guard models of other makers, asked over the OpenAI chat API: what each is sent, and what its answer means."""
