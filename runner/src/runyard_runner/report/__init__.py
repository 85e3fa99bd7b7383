"""VOICE: who is told by mail what came of an execution?"""
