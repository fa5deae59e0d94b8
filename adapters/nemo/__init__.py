"""A company's existing NeMo Guardrails configuration, run as one stage of ours, in a process and environment apart."""
