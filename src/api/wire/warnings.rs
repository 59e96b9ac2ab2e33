//! The `Warning` header of a response: what was accepted and has no effect, or not the expected one.

use std::sync::{Arc, Mutex, PoisonError};

use poem::http::HeaderValue;

/// The warnings about one request.
#[derive(Clone, Default)]
pub(in crate::api) struct Warnings(Arc<Mutex<Vec<String>>>);

impl Warnings {
    pub(in crate::api) fn add(&self, text: impl Into<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(text.into());
    }

    /// The value of the header (RFC 7234, section 5.5); `None` if there are no warnings.
    pub(in crate::api) fn header(&self) -> Option<HeaderValue> {
        let texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if texts.is_empty() {
            return None;
        }
        let quoted = texts.iter().map(|text| format!("299 - \"{}\"", text.replace(['"', '\\'], "'")));
        HeaderValue::from_str(&quoted.collect::<Vec<_>>().join(", ")).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Warnings;

    #[test]
    fn several_warnings_share_the_header() {
        let warnings = Warnings::default();
        assert_eq!(warnings.header(), None);
        warnings.add("one");
        warnings.add("two \"quoted\"");
        assert_eq!(warnings.header().unwrap(), "299 - \"one\", 299 - \"two 'quoted'\"");
    }
}
