//! A client of image registries (OCI distribution specification): the tags of an image, and whether it is there.
//!
//! Registries on this machine are asked without TLS, as container engines do.

pub use self::credentials::{Login, login};
pub use self::image::{check, tags};

mod challenge;
mod credentials;
mod exchange;
mod image;
