module windlass.dev/tests/jsonapi

go 1.18

require github.com/google/jsonapi v1.0.0
