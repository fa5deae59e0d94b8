"""Guard data from disk: training the classifier, and measuring a guard chain."""
