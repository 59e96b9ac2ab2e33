//! The exclusive use of a file, among the processes of this machine.
//!
//! A program that the holder starts has a copy of the lock between `fork` and `exec`, even if the holder has ended meanwhile. So a
//! lock that is taken may be free in a moment: it is waited for, but not for long.

use std::fs::{File, TryLockError};
use std::time::{Duration, Instant};

/// Much longer than it takes to start a program, and short enough for somebody who waits for the refusal.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(10);

/// Locks a file until it is closed.
///
/// # Errors
/// When another process holds the lock for longer than a moment, or the file cannot be locked.
pub async fn lock(file: File) -> Result<File, TryLockError> {
    let begin = Instant::now();
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if begin.elapsed() < PATIENCE => tokio::time::sleep(PAUSE).await,
            Err(error) => return Err(error),
            Ok(()) => return Ok(file),
        }
    }
}
