//! The reports of containers, which count their own starts.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::sync::{Arc, Mutex};

use crate::container_address::container_listener;

/// How often each attempt of a run was started.
type Starts = BTreeMap<String, u32>;

/// Listens where containers can reach it, and counts their reports.
pub(super) fn listen(image: &str) -> Option<(String, Arc<Mutex<Starts>>)> {
    let listener = container_listener(image)?;
    let gateway = listener.local_addr().unwrap().ip();
    let address = format!("{gateway} {}", listener.local_addr().unwrap().port());
    let heard: Arc<Mutex<Starts>> = Arc::default();
    let counts = Arc::clone(&heard);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut line = String::new();
            if BufReader::new(stream).read_line(&mut line).is_ok() && !line.trim().is_empty() {
                *counts.lock().unwrap().entry(line.trim().to_owned()).or_default() += 1;
            }
        }
    });
    Some((address, heard))
}
