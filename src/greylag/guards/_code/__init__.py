"""What guards read files as: code without comments and strings, syntax trees, blocks, names, what is new."""
