//! The listener: accepts a bounded number of connections, each with limits on how long it may be waited for, with or without TLS.

mod accept;
mod body_pace;
mod limits_of_config;
mod open_connections;
mod plain_http;
mod serve_connection;
mod timed_io;
mod tls;
mod waiting;

pub(super) use self::accept::serve;
pub(super) use self::limits_of_config::HttpLimits;
pub use self::plain_http::plain_http_warning;
pub use self::tls::certificate_chain;
pub(super) use self::tls::{Certificates, watch};
