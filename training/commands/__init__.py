"""What a person or the service types after `python -m training`, by purpose.

What can be refused is refused before torch is loaded: libraries are imported where the work begins, so that a wrong
folder, base or setting is answered in a second and not after the half minute that loading takes on a busy machine.
"""
