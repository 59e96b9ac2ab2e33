//! Pure: signs webhook requests (Standard Webhooks 1.0, symmetric: HMAC-SHA256).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::secret::Secret;

/// The prefix of keys in the text form of the standard.
const PREFIX: &str = "whsec_";

/// Decodes a secret: base64 after `whsec_`, otherwise the bytes of the text itself.
///
/// # Errors
/// A reason for the caller if the text after `whsec_` is not base64.
pub fn key(secret: &str) -> Result<Secret<Vec<u8>>, String> {
    match secret.strip_prefix(PREFIX) {
        Some(text) => STANDARD.decode(text).map(Secret::new).map_err(|_| format!("must be base64 after {PREFIX}")),
        None => Ok(Secret::new(secret.as_bytes().to_vec())),
    }
}

/// The value of the `webhook-signature` header. `at` is a Unix timestamp.
#[must_use]
pub fn signature(key: &[u8], id: &str, at: i64, body: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return String::new() };
    mac.update(format!("{id}.{at}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::{key, signature};

    /// The example of the standard's own reference libraries.
    #[test]
    fn the_example_of_the_standard() {
        let key = key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = r#"{"test": 2432232314}"#;
        let made = signature(key.expose(), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(made, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn keys() {
        assert_eq!(key("plain").unwrap().expose(), b"plain");
        assert!(key("whsec_%").is_err());
    }
}
