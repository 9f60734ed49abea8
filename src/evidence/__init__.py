"""What experiments share: claims and verdicts, tables, style of figures, learners of others."""
