"""NOUNS: what is an endpoint, an order to call some, and a result?"""
