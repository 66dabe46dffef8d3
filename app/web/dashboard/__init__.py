"""The dashboard: pages rendered here, readable without a script, each within what its reader may see."""
