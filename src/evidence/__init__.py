"""What experiments share: claims and verdicts, long-form tables, the style of figures."""
