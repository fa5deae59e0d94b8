"""The program: wiring and life-cycle, no chat logic."""
