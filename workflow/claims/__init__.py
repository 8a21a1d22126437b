"""The paper's claims, each with a verdict."""
