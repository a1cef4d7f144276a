"""Study how noise of writing and reading changes what a network draws, over many macros."""
