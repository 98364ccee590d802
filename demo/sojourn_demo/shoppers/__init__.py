"""The demo's shoppers: who they are, what each will do, and how they walk. All are simulated and are called so."""
