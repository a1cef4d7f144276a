"""Find by how much the zero of each column has moved since the read chain was calibrated (auto-zero)."""
