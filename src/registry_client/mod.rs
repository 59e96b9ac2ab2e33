//! A client of image registries (OCI distribution specification): lists tags and checks that an image is available.
//!
//! Registries on this machine are called without TLS, as container engines do by default.

pub use self::credentials::{Login, login};
pub use self::image::{check, tags};

mod challenge;
mod credentials;
mod exchange;
mod image;
