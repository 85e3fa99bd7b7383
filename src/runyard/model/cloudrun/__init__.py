"""Cloud Run v2's ExecutionTemplate, both levels, every field of it, in Google's own JSON names.

Sources: the protocol buffers of google-cloud-run (google.cloud.run.v2), and for the fields listed
in `newer.py` the API's discovery document run.v2, revision 20261031.
"""
