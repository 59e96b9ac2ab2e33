//! Starting and stopping the server.

pub use self::assemble::build;
pub use self::heartbeat_url::Heartbeat;
pub use self::http::{certificate_chain, plain_http_warning};
pub use self::listen::Server;
pub use self::lock::{DatabaseLock, database_file};
pub use self::storage::{migrate, open_any_age, open_existing, open_new};

mod assemble;
mod calendar_loop;
mod data_folder;
mod heartbeat_url;
mod http;
mod keys;
mod listen;
mod local_runner;
mod lock;
mod loops;
mod module_loop;
mod storage;
