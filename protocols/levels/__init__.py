"""Program cells to many levels and see how well they are told apart."""
