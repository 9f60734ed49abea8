"""Discovery of groups from no start at all: at the paper's size, and where it stops working."""
