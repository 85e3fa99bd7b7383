"""WHO CALLS: is it somebody we know, and may they?"""
