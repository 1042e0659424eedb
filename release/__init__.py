"""What a release is made of: what it ships and under which licences, its bill, its files."""
