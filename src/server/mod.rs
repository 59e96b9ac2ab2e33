//! Starting and stopping the server.

pub use self::assemble::build;
pub use self::heartbeat_url::Heartbeat;
pub use self::http::plain_http_warning;
pub use self::listen::Server;
pub use self::lock::DatabaseLock;
pub use self::storage::{migrate, open_existing};

mod assemble;
mod data_folder;
mod heartbeat_url;
mod http;
mod keys;
mod listen;
mod local_runner;
mod lock;
mod storage;
