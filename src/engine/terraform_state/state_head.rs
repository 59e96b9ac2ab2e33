//! Pure: reads a state as it arrives: checks that it is JSON of limited depth, and takes its serial and lineage.

use std::fmt;
use std::io::Read;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The deepest nesting of a state.
const MOST_LEVELS: u32 = 128;

/// The longest text among the attributes of a state itself, in bytes; longer ones would have to be held in memory.
const LONGEST_TEXT: usize = 64 * 1024;

/// The attributes of a state that are stored beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateHead {
    /// The version of the format.
    pub version: Option<i64>,
    pub serial: Option<i64>,
    pub lineage: Option<String>,
    /// Whether it has neither resources nor outputs, and is not encrypted.
    pub is_empty: bool,
    /// Whether the tool has encrypted it.
    pub is_encrypted: bool,
}

impl StateHead {
    /// Reads a whole state, without holding it.
    ///
    /// # Errors
    /// When it is not the JSON of a state.
    pub fn read(from: impl Read) -> Result<Self, serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_reader(from);
        let head = Self::deserialize(&mut reader)?;
        reader.end()?;
        Ok(head)
    }
}

impl<'de> Deserialize<'de> for StateHead {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Attributes;
        impl<'de> Visitor<'de> for Attributes {
            type Value = StateHead;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<StateHead, A::Error> {
                let mut head = StateHead { is_empty: true, ..StateHead::default() };
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "version" => head.version = map.next_value::<Scalar>()?.number(),
                        "serial" => head.serial = map.next_value::<Scalar>()?.number(),
                        "lineage" => head.lineage = map.next_value::<Scalar>()?.text(),
                        "resources" | "outputs" => head.is_empty &= map.next_value::<Scalar>()?.is_empty(),
                        "encrypted_data" => {
                            head.is_empty = false;
                            head.is_encrypted = true;
                            map.next_value::<IgnoredAny>()?;
                        }
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(head)
            }
        }
        from.deserialize_map(Attributes)
    }
}

/// A number, a text, or something without content; everything else is passed over.
enum Scalar {
    Number(i64),
    Text(String),
    /// Null, an empty list or an empty object.
    Empty,
    Other,
}

impl Scalar {
    fn number(self) -> Option<i64> {
        if let Self::Number(number) = self { Some(number) } else { None }
    }

    fn text(self) -> Option<String> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar::Number(number))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
                Ok(i64::try_from(number).map_or(Scalar::Other, Scalar::Number))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Scalar, E> {
                Ok(Scalar::Other)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Scalar, E> {
                Ok(Scalar::Other)
            }

            fn visit_unit<E>(self) -> Result<Scalar, E> {
                Ok(Scalar::Empty)
            }

            fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar, A::Error> {
                let mut found = Scalar::Empty;
                while list.next_element::<IgnoredAny>()?.is_some() {
                    found = Scalar::Other;
                }
                Ok(found)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
                let mut found = Scalar::Empty;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    found = Scalar::Other;
                }
                Ok(found)
            }
        }
        from.deserialize_any(Any)
    }
}

/// Counts levels and the lengths of texts in JSON, which the parser would have to hold in memory.
#[derive(Debug, Default)]
pub(super) struct JsonLimits {
    levels: u32,
    text_bytes: Option<usize>,
    is_escaped: bool,
}

impl JsonLimits {
    /// Checks the next bytes.
    pub(super) fn check(&mut self, bytes: &[u8]) -> Result<(), String> {
        for byte in bytes {
            match (&mut self.text_bytes, byte) {
                (Some(length), _) if *length > LONGEST_TEXT && self.levels <= 1 => {
                    return Err(format!("a key or a text of the state itself is longer than {LONGEST_TEXT} bytes"));
                }
                (Some(_), b'"') if !self.is_escaped => self.text_bytes = None,
                (Some(length), byte) => {
                    *length += 1;
                    self.is_escaped = *byte == b'\\' && !self.is_escaped;
                }
                (None, b'"') => self.text_bytes = Some(0),
                (None, b'{' | b'[') => {
                    self.levels += 1;
                    if self.levels > MOST_LEVELS {
                        return Err(format!("the state is nested more than {MOST_LEVELS} levels deep"));
                    }
                }
                (None, b'}' | b']') => self.levels = self.levels.saturating_sub(1),
                (None, _) => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{JsonLimits, StateHead};

    fn read(text: &str) -> Result<(Option<i64>, Option<String>), String> {
        let mut limits = JsonLimits::default();
        for piece in text.as_bytes().chunks(3) {
            limits.check(piece)?;
        }
        let head = StateHead::read(text.as_bytes()).map_err(|error| error.to_string())?;
        Ok((head.serial, head.lineage))
    }

    #[test]
    fn the_head_of_a_state() {
        let text = r#"{"version":4,"outputs":{"serial":{"value":[1,{"lineage":"no"}]}},"serial":7,"lineage":"a\"b","x":null} "#;
        assert_eq!(read(text), Ok((Some(7), Some("a\"b".into()))));
        for text in [r#"{"serial":"7","lineage":3}"#, r#"{"serial":[7],"lineage":{"a":[]}}"#, "{}", r#"{"serial":1.5}"#]
        {
            assert_eq!(read(text), Ok((None, None)), "{text}");
        }
        for text in ["", "[1]", "7", "{\"serial\":7", "{\"serial\":7}x", "{\"a\":[1,}", "{\"a\":\"\u{1}\"}"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_would_be_held_in_memory_is_limited() {
        let nested = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(read(&nested(127)).is_ok());
        assert!(read(&nested(128)).unwrap_err().contains("levels"));
        let long = "\\\\\\\"[".repeat(20_000);
        assert!(read(&format!("{{\"lineage\":\"{long}\"}}")).unwrap_err().contains("longer"));
        assert!(read(&format!("{{\"{long}\":1}}")).unwrap_err().contains("longer"));
        assert!(read(&format!("{{\"a\":{{\"b\":\"{long}\"}}}}")).is_ok());
    }
}
