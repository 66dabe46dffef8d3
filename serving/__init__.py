"""Serving: one base in vLLM, many adapters loaded and proven at run time, behind a front that allows little.

leash       keeps vLLM and all its children on a leash: none outlives the front
engine      how vLLM is started, and its own HTTP interface
folder      reads and checks an adapter folder before anything is loaded
lora        decides whether vLLM computes an adapter as PEFT does
goldens     compares the server's tokens with those of the training
probe       proves on the running server that the adapter is served, and the right one
needs       how large the server is made, by what the registry holds
controller  keeps what vLLM serves equal to what was asked for
front       the only thing that listens for others
export      takes an adapter to where no vLLM is: merged into its base, or for Ollama
"""
