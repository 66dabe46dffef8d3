"""Unit tests mirror the code; integration, contract and acceptance tests run the real parts."""
