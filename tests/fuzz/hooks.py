"""Hooks of Schemathesis."""

import schemathesis


# The contract describes a kubeconfig as a text, as the official one does; Schemathesis would describe what the text contains.
# It takes the first of its names for YAML, whichever name the response has.
@schemathesis.deserializer("text/yaml", "application/x-yaml")
def text_of_yaml(_context, response):
    return response.text
