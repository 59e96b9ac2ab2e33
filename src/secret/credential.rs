//! API tokens. They are stored as SHA-256: with 238 random bits, a slow hash would add no protection.

use sha2::{Digest as _, Sha256};

use super::random::{hex, random};
use super::redacted::Secret;
use crate::error::Result;

/// The prefix of every API token. Secret scanners can detect it, and no JWT starts with it.
pub const TOKEN_PREFIX: &str = "windlass_";
/// The prefix of the cookies and links that sign people in to the console. No token starts with it.
pub const SESSION_PREFIX: &str = "windlass-session_";
/// The prefix of the tokens of agents, which no other API accepts.
const AGENT_PREFIX: &str = "windlass-agent_";
const TOKEN_LENGTH: usize = 40;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A new API token.
///
/// # Errors
/// When the operating system has no random bytes.
pub fn new_token() -> Result<Secret<String>> {
    with_prefix(TOKEN_PREFIX)
}

/// A new secret of a session, or of a sign-in.
///
/// # Errors
/// When the operating system has no random bytes.
pub fn new_session_secret() -> Result<Secret<String>> {
    with_prefix(SESSION_PREFIX)
}

/// A new key of the address of a check's pings. It has no prefix: it is a part of an address.
///
/// # Errors
/// When the operating system has no random bytes.
pub fn new_ping_key() -> Result<Secret<String>> {
    with_prefix("")
}

/// A new token of an agent.
///
/// # Errors
/// When the operating system has no random bytes.
pub fn new_agent_token() -> Result<Secret<String>> {
    with_prefix(AGENT_PREFIX)
}

/// A new code that a program exchanges for a token. It has no prefix: it is a part of an address.
///
/// # Errors
/// When the operating system has no random bytes.
pub fn new_login_code() -> Result<Secret<String>> {
    with_prefix("")
}

fn with_prefix(prefix: &str) -> Result<Secret<String>> {
    let mut token = prefix.to_owned();
    while token.len() < prefix.len() + TOKEN_LENGTH {
        for byte in random::<64>()? {
            let place = usize::from(byte & 0x3f);
            if let Some(letter) = ALPHABET.get(place)
                && token.len() < prefix.len() + TOKEN_LENGTH
            {
                token.push(char::from(*letter));
            }
        }
    }
    Ok(Secret::new(token))
}

/// The SHA-256 hash of a credential.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// Hashes a credential.
    #[must_use]
    pub fn of(credential: &str) -> Self {
        Self(Sha256::digest(credential.as_bytes()).into())
    }

    /// The stored form, in hexadecimal.
    #[must_use]
    pub fn stored(&self) -> String {
        hex(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{TOKEN_PREFIX, TokenHash, new_token};

    #[test]
    fn tokens_are_marked_long_and_different() {
        let (one, two) = (new_token().unwrap(), new_token().unwrap());
        assert!(one.expose().starts_with(TOKEN_PREFIX));
        assert_eq!(one.expose().len(), TOKEN_PREFIX.len() + 40);
        assert_ne!(one.expose(), two.expose());
        assert_eq!(TokenHash::of(one.expose()).stored().len(), 64);
    }
}
