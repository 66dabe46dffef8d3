"""The AcceptanceFilter on real history."""
