"""Muster in an AWS account: its settings, its secrets, its making and its unmaking."""
