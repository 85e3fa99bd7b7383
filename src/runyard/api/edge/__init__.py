"""What every request passes before its handler, outermost first:

    last_resort   an exception nobody expected becomes a 500 with an id that is in the log
    headers       what browsers shall and shall not do with an answer
    host          names that this server does not have are refused (DNS rebinding)
    size          a body over the limit is refused while it comes in
    bearer        a token is asked for where one is needed

Plain ASGI, so that streams pass through untouched.
"""
