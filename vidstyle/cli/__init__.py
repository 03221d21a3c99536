"""The command line: words in, words and bars out. One file a command."""
