"""Counts what a partner has left of an article; walked by stock.yaml."""

import csv

import httpx2


async def run(args: dict[str, str]) -> dict[str, int]:
    """Reads the partner's file (columns sku and left) and adds up."""
    async with httpx2.AsyncClient(timeout=10) as client:
        answer = await client.get(args["address"])
    rows = csv.DictReader(answer.raise_for_status().text.splitlines())
    return {"left": sum(int(row["left"]) for row in rows if row["sku"] == args["sku"])}
