"""Play the tables of the published firmware as an experiment."""
