"""The guest program: what must be atomic on a host. Standard library only, Python 3.11 and later.

It is shipped as one zipapp (`infra.guest_bundle`) and run as root over SSH:

    python3 guest.pyz deploy|remove|status < document.json

The document (`document.py` has its shape) comes on stdin and may hold secrets. Progress goes to
stderr in short lines, the answer to stdout as one short line of JSON; secrets go to neither.

Exit codes: 0 done, 1 the step failed, 2 the document makes no sense, 3 the archive is not on the
host and must be sent again, 4 another step holds the service's lock.
"""
