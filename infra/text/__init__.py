"""Text that reaches a host: units, environment files, the document of a step.

Pure: nothing here imports pulumi, reads a file of the user's, or connects anywhere.
"""
