//! Pure: checks that a delivery comes from whoever knows the secret. Comparisons take the same time for every text.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// Whether a signature in hexadecimal digits is the HMAC-SHA256 of a body.
pub(super) fn is_signed(secret: &str, body: &[u8], signature: &str) -> bool {
    let Some(given) = bytes(signature) else { return false };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
    mac.update(body);
    mac.verify_slice(&given).is_ok()
}

/// Whether a token is the secret. Both are hashed with the secret as key, so that the comparison tells nothing about them.
pub(super) fn is_token(secret: &str, token: &str) -> bool {
    let Ok(mut own) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
    let mut given = own.clone();
    own.update(secret.as_bytes());
    given.update(token.as_bytes());
    given.verify_slice(&own.finalize().into_bytes()).is_ok()
}

/// The SHA-256 of a text in these parts, in hexadecimal digits.
pub(super) fn digest(parts: &[&[u8]]) -> String {
    let hash = parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part));
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    if !hex.is_ascii() || !hex.len().is_multiple_of(2) {
        return None;
    }
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::{digest, is_signed, is_token};

    /// The example in GitHub's documentation.
    #[test]
    fn a_known_signature() {
        let signature = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let secret = "It's a Secret to Everybody";
        assert!(is_signed(secret, b"Hello, World!", signature));
        assert!(is_signed(secret, b"Hello, World!", &signature.to_uppercase()));
        assert!(!is_signed(secret, b"Hello, World", signature));
        assert!(!is_signed("another", b"Hello, World!", signature));
        for wrong in ["", "7", "757107", "zz", "\u{e9}\u{e9}", &signature[2..]] {
            assert!(!is_signed(secret, b"Hello, World!", wrong), "{wrong}");
        }
    }

    #[test]
    fn tokens() {
        assert!(is_token("abc", "abc"));
        for wrong in ["", "ab", "abcd", "abd"] {
            assert!(!is_token("abc", wrong), "{wrong}");
        }
        assert_eq!(digest(&[b""]), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
