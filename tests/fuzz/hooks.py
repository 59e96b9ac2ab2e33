"""Hooks of Schemathesis."""

import schemathesis


# The contract describes a kubeconfig as a text, as the official one does; Schemathesis would describe what the text contains.
@schemathesis.deserializer("application/x-yaml")
def text_of_yaml(_context, response):
    return response.text
