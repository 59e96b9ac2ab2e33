//! API tokens and sealed values.

pub use self::credential::{TOKEN_PREFIX, TokenHash, new_token};
pub use self::key_ring::{KeyRing, fingerprint, place};
pub use self::key_source::{KeySource, SECRET_VARIABLES};
pub use self::redacted::Secret;

mod credential;
mod key_ring;
mod key_source;
mod random;
mod redacted;
