//! What a process uses, as counted by Linux.

use std::fs;
use std::time::Duration;

/// The CPU seconds of a process and of its ended children, in hundredths.
pub(crate) fn cpu_seconds(process: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11..15].iter().map(|field| field.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

/// The CPU seconds of a process and of everything it has started, in hundredths.
pub(crate) fn tree_cpu_seconds(process: u32) -> f64 {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let parents: Vec<(u32, u32)> = numbers.filter_map(|number| Some((number, parent(number)?))).collect();
    let (mut tree, mut next) = (vec![process], 0);
    while next < tree.len() {
        let children = parents.iter().filter(|(_, parent)| *parent == tree[next]).map(|(child, _)| *child);
        tree.extend(children.collect::<Vec<_>>());
        next += 1;
    }
    // Others than the first may have ended meanwhile.
    tree.into_iter().filter(|one| *one == process || parent(*one).is_some()).map(cpu_seconds).sum()
}

fn parent(process: u32) -> Option<u32> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    text.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()
}

/// The CPU seconds of the threads that a process has, in nanoseconds.
pub(crate) fn fine_cpu_seconds(process: u32) -> f64 {
    let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap().flatten();
    let times = threads.map(|thread| fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default());
    times.map(|text| text.split(' ').next().unwrap().parse::<f64>().unwrap_or(0.0)).sum::<f64>() / 1e9
}

/// A line such as `Pss: 12 kB` of a file of /proc, in MiB.
fn mib(process: u32, file: &str, name: &str) -> f64 {
    let text = fs::read_to_string(format!("/proc/{process}/{file}")).unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

/// Resident memory, a share of what is shared with other processes included.
pub(crate) fn pss_mib(process: u32) -> f64 {
    mib(process, "smaps_rollup", "Pss:")
}

/// Memory that no file backs.
pub(crate) fn anonymous_mib(process: u32) -> f64 {
    mib(process, "status", "RssAnon:")
}

/// The bytes that a process has passed to the operating system to be written.
pub(crate) fn written_bytes(process: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{process}/io")).unwrap();
    let line = text.lines().find(|line| line.starts_with("wchar")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The share of a core that a process uses for a while, in percent.
pub(crate) fn cpu_percent(process: u32, length: Duration) -> f64 {
    let before = fine_cpu_seconds(process);
    std::thread::sleep(length);
    (fine_cpu_seconds(process) - before) / length.as_secs_f64() * 100.0
}
