"""Tests of the demo: shop, shoppers, stage."""
