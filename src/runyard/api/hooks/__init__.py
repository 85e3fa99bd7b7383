"""Webhooks as the server knows them: who may call, who was doubted, what is shown of them.

hooks.py      both of these together, one of each in a process
proofs.py     whether a call is by who it should be: secrets and keys of issuers, kept for a moment
doubts.py     calls that were not, written down together
uses.py       what they need of other things
documents.py  hooks and deliveries as JSON, and their shapes
"""
