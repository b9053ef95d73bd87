"""The judge: a verifier of the last phase that may veto."""
