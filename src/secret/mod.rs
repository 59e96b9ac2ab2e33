//! API tokens, sealed values, and where stored credentials may be sent.

pub use self::binding::{Binding, Destination, NotSent, moves, permits};
pub use self::credential::{
    SESSION_PREFIX, TOKEN_PREFIX, TokenHash, new_agent_token, new_login_code, new_ping_key, new_session_secret,
    new_token,
};
pub use self::key_ring::{KeyRing, fingerprint, place};
pub use self::key_source::KeySource;
pub use self::origin::{Origin, Scheme};
pub use self::random::random as random_bytes;
pub use self::redacted::Secret;
pub use self::url_login::has_secret;

mod binding;
mod credential;
mod key_ring;
mod key_source;
mod origin;
mod random;
mod redacted;
pub mod stored_binding;
mod url_login;
