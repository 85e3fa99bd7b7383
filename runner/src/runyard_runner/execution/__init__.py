"""THE WORK: in what order are endpoints called, what ends it early, is it done twice?"""
