//! What a schema of the contract says about a value, with its parts put together.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde_json::Value;

use super::operation_schema::target;

/// How many references are followed for one value.
const DEPTH: usize = 12;

/// What a schema says about a value.
#[derive(Default)]
pub(in crate::api) struct Shape {
    pub(super) properties: BTreeMap<&'static str, &'static Value>,
    pub(super) items: Option<&'static Value>,
    /// The schema of all other keys.
    pub(super) others: Option<&'static Value>,
    /// Whether other keys are allowed.
    pub(super) open: bool,
    /// The type, the format and the allowed values, unless they depend on the member of a union.
    pub(super) kind: Option<&'static str>,
    pub(super) format: Option<&'static str>,
    pub(super) allowed: Vec<&'static str>,
    /// The discriminator of a union and its values, if the value selects no member.
    pub(super) selector: Option<(&'static str, Vec<&'static str>)>,
}

impl Shape {
    /// The shape of a value: the member of a union is the one that its discriminator selects, or all of them.
    pub(in crate::api) fn of(schema: &'static Value, value: &Value) -> Self {
        let mut shape = Self::default();
        shape.add(schema, value, DEPTH);
        shape.open |= shape.properties.is_empty();
        if shape.kind.is_none() && !shape.properties.is_empty() {
            shape.kind = Some("object");
        }
        shape
    }

    /// The schema of a key.
    pub(super) fn property(&self, key: &str) -> Option<&'static Value> {
        self.properties.get(key).copied().or(self.others)
    }

    fn add(&mut self, schema: &'static Value, value: &Value, depth: usize) {
        if depth == 0 {
            return;
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(target) {
            return self.add(target, value, depth - 1);
        }
        let text = |key: &str| schema.get(key).and_then(Value::as_str);
        self.kind = self.kind.or_else(|| text("type"));
        self.format = self.format.or_else(|| text("format"));
        if self.allowed.is_empty() {
            let allowed = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
            self.allowed = allowed.filter_map(Value::as_str).collect();
        }
        let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        self.properties.extend(properties.map(|(key, schema)| (key.as_str(), schema)));
        self.items = self.items.or_else(|| schema.get("items"));
        match schema.get("additionalProperties") {
            Some(Value::Bool(open)) => self.open |= *open,
            Some(others) => self.others = Some(others),
            None => {}
        }
        if let Some(member) = selected(schema, value) {
            return self.add(member, value, depth - 1);
        }
        self.selector = self.selector.take().or_else(|| selector(schema));
        let parts = |part: &str| schema.get(part).and_then(Value::as_array).into_iter().flatten();
        parts("allOf").for_each(|schema| self.add(schema, value, depth - 1));
        // The members of a union may have different types.
        let (kind, format, allowed) = (self.kind, self.format, self.allowed.len());
        parts("oneOf").chain(parts("anyOf")).for_each(|schema| self.add(schema, value, depth - 1));
        (self.kind, self.format) = (kind, format);
        self.allowed.truncate(allowed);
    }

    /// What a value of this shape must be; `None` if the contract does not say.
    pub(in crate::api) fn expectation(&self) -> Option<String> {
        if !self.allowed.is_empty() {
            return Some(format!("must be one of {}", self.allowed.join(", ")));
        }
        let text = match (self.kind?, self.format) {
            ("string", Some("uuid")) => "must be a UUID",
            ("string", Some("date-time")) => "must be a time such as 2026-01-31T08:00:00Z",
            ("string", _) => "must be a string",
            ("integer", _) => "must be an integer of at most 2147483647",
            ("number", _) => "must be a number",
            ("boolean", _) => "must be true or false",
            ("array", _) => "must be a list",
            ("object", _) => "must be an object",
            _ => return None,
        };
        Some(text.to_owned())
    }

    /// Whether a value has the type of this shape, and is one of its allowed values. Numbers may be sent as text.
    pub(super) fn fits(&self, value: &Value) -> bool {
        if value.is_null() {
            return true;
        }
        if !self.allowed.is_empty() {
            return value.as_str().is_some_and(|text| self.allowed.contains(&text));
        }
        let number = |text: &str| text.trim().is_empty() || text.trim().parse::<f64>().is_ok();
        match self.kind {
            Some("string") => value.as_str().is_some_and(|text| match self.format {
                Some("uuid") => uuid::Uuid::parse_str(text).is_ok(),
                _ => true,
            }),
            Some("integer" | "number") => value.is_number() || value.as_str().is_some_and(number),
            Some("boolean") => value.is_boolean(),
            Some("array") => value.is_array(),
            Some("object") => value.is_object(),
            _ => true,
        }
    }

    /// Whether the text of a query parameter can be read as a value of this shape.
    pub(in crate::api) fn reads(&self, text: &str) -> bool {
        match (self.kind, self.format) {
            (Some("integer"), _) => text.parse::<i32>().is_ok(),
            (Some("number"), _) => text.parse::<f64>().is_ok(),
            (Some("boolean"), _) => text.parse::<bool>().is_ok(),
            (_, Some("date-time")) => DateTime::parse_from_rfc3339(text).is_ok(),
            _ => self.fits(&Value::from(text)),
        }
    }

    /// A value that fits, to go on with after a fault.
    pub(super) fn example(&self) -> Value {
        match (self.allowed.first(), self.kind, self.format) {
            (Some(allowed), ..) => Value::from(*allowed),
            (None, Some("string"), Some("uuid")) => Value::from(uuid::Uuid::nil().to_string()),
            (None, Some("string"), Some("date-time")) => Value::from("1970-01-01T00:00:00Z"),
            (None, Some("string"), _) => Value::from("a"),
            (None, Some("integer" | "number"), _) => Value::from(1),
            (None, Some("boolean"), _) => Value::from(false),
            (None, Some("array"), _) => Value::Array(Vec::new()),
            _ => Value::Object(serde_json::Map::new()),
        }
    }
}

/// The discriminator of a union, and its values.
fn selector(schema: &'static Value) -> Option<(&'static str, Vec<&'static str>)> {
    let discriminator = schema.get("discriminator").filter(|_| schema.get("oneOf").is_some())?;
    let values = discriminator.get("mapping")?.as_object()?.keys().map(String::as_str).collect();
    Some((discriminator.get("propertyName")?.as_str()?, values))
}

/// The member of a union that the discriminator of a value selects.
fn selected(schema: &'static Value, value: &Value) -> Option<&'static Value> {
    let discriminator = schema.get("discriminator")?;
    let selector = value.get(discriminator.get("propertyName")?.as_str()?)?.as_str()?;
    target(discriminator.get("mapping")?.get(selector)?.as_str()?)
}
