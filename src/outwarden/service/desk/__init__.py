"""The desk at work: what happens becomes cases, what cases ask for is carried out, and the answers go back."""
