"""An instance: which ACS messages it should hold now, and has not acknowledged."""
