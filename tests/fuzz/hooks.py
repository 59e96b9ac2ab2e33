"""Hooks of Schemathesis."""

import schemathesis


# The contract declares a kubeconfig as a string, like the official one, but Schemathesis parses YAML before it validates. For any YAML
# response it uses the reader registered for `text/yaml`.
@schemathesis.deserializer("text/yaml", "application/x-yaml")
def text_of_yaml(_context, response):
    return response.text
