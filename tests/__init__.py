"""Every test: unit, integration, contracts, acceptance, architecture, gpu, benchmarks."""
