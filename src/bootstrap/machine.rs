//! How large this machine is.

pub(super) fn cores() -> i32 {
    std::thread::available_parallelism().ok().and_then(|cores| i32::try_from(cores.get()).ok()).unwrap_or(1)
}

/// The memory of the machine, in MiB; where that is not known, an amount that no machine exceeds.
pub(super) fn memory_mib() -> i32 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<i64>().ok());
    kib.and_then(|kib| i32::try_from(kib / 1024).ok()).unwrap_or(i32::MAX)
}
