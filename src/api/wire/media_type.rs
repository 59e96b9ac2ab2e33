//! The media types of requests and responses.

pub(super) const JSON: &str = "application/json";

pub(super) const YAML: &str = "application/x-yaml";
