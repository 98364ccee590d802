"""Sojourn's demo: a shop that breaks on purpose, shoppers whose fate is known, and the play that joins the parts."""
