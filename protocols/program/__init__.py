"""Program target conductances into a macro."""
