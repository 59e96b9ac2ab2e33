//! Describes serde types to poem-openapi.

/// Implements the traits of poem-openapi for a serde type.
macro_rules! described {
    ($name:ty, $schema:expr, $register:expr) => {
        const _: () = {
            use poem_openapi::registry::{MetaSchemaRef, Registry};
            use poem_openapi::types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type};

            impl Type for $name {
                const IS_REQUIRED: bool = true;
                type RawValueType = Self;
                type RawElementValueType = Self;

                fn name() -> std::borrow::Cow<'static, str> {
                    stringify!($name).into()
                }

                fn schema_ref() -> MetaSchemaRef {
                    $schema
                }

                fn register(registry: &mut Registry) {
                    let register: fn(&mut Registry) = $register;
                    register(registry);
                }

                fn as_raw_value(&self) -> Option<&Self::RawValueType> {
                    Some(self)
                }

                fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self::RawElementValueType> + 'a> {
                    Box::new(std::iter::once(self))
                }
            }

            impl ToJSON for $name {
                fn to_json(&self) -> Option<serde_json::Value> {
                    serde_json::to_value(self).ok()
                }
            }

            impl ParseFromJSON for $name {
                fn parse_from_json(value: Option<serde_json::Value>) -> ParseResult<Self> {
                    serde_json::from_value(value.unwrap_or_default()).map_err(|e| ParseError::custom(e.to_string()))
                }
            }
        };
    };
}

pub(in crate::api) use described;
