//! Starting and stopping the server.

pub use self::assemble::build;
pub use self::data_folder::lock_data_folder;
pub use self::listen::Server;

mod assemble;
mod data_folder;
mod listen;
mod local_runner;
