"""Where and whether: the Locator and the AcceptanceFilter, fitted in seconds."""
