"""Program an image and watch it age."""
